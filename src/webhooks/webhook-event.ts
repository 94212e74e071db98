import { WebhookEvent } from '../database/generated/prisma/enums.ts';
import type { EditStatus } from '../edits/edit-status.ts';

export { WebhookEvent };

/** The events of an edit's end. */
export const EVENT_OF_STATUS = {
  SUCCEEDED: WebhookEvent.EDIT_SUCCEEDED,
  FAILED: WebhookEvent.EDIT_FAILED,
  CANCELED: WebhookEvent.EDIT_CANCELED,
  OUTCOME_UNKNOWN: WebhookEvent.EDIT_OUTCOME_UNKNOWN,
} as const satisfies Partial<Record<EditStatus, WebhookEvent>>;

/** `type` of a message. */
export const TYPE_OF_EVENT = {
  EDIT_SUCCEEDED: 'edit.succeeded',
  EDIT_FAILED: 'edit.failed',
  EDIT_CANCELED: 'edit.canceled',
  EDIT_OUTCOME_UNKNOWN: 'edit.outcome_unknown',
} as const satisfies Record<WebhookEvent, string>;

/** `webhook-id` of a message, the same at each attempt. */
export function messageId(deliveryId: string): string {
  return `msg_${deliveryId.replaceAll('-', '')}`;
}
