import type { EditErrorCode } from '../../edits-api/edit-error-codes.ts';
import type { Order } from '../../paging/order.ts';
import type { EditStatus } from '../edit-status.ts';
import type { JsonObject } from '../input/json-object.ts';

/** `from` is inclusive, `to` is not. */
export interface TimeRange {
  readonly from?: Date | null | undefined;
  readonly to?: Date | null | undefined;
}

/** Both ends inclusive. */
export interface NumberRange<Value> {
  readonly min?: Value | null | undefined;
  readonly max?: Value | null | undefined;
}

/** Which edits of the history; all that is given must hold. Of a list one must, of an empty one none does. */
export interface HistoryFilter {
  readonly status?: readonly EditStatus[] | null | undefined;
  readonly model?: readonly string[] | null | undefined;
  /** As asked for, or as sent. */
  readonly size?: readonly string[] | null | undefined;
  readonly quality?: readonly string[] | null | undefined;
  readonly upstream?: readonly string[] | null | undefined;
  readonly sandbox?: boolean | null | undefined;
  readonly source?: 'GRAPHQL' | 'OPENAI_API' | null | undefined;
  readonly createdAt?: TimeRange | null | undefined;
  readonly finishedAt?: TimeRange | null | undefined;
  readonly totalTokens?: NumberRange<number> | null | undefined;
  readonly costMicroUsd?: NumberRange<bigint> | null | undefined;
  readonly errorCode?: readonly EditErrorCode[] | null | undefined;
  readonly hasError?: boolean | null | undefined;
  /** Labels that an edit must have, with these values. */
  readonly metadata?: JsonObject | null | undefined;
  readonly promptId?: string | null | undefined;
  /** An image that was edited, or the mask. */
  readonly inputImageId?: string | null | undefined;
  readonly outputImageId?: string | null | undefined;
}

export type HistoryOrderField = 'CREATED_AT' | 'COST' | 'TOTAL_TOKENS' | 'DURATION';

export const NEWEST_FIRST = {
  field: 'CREATED_AT',
  direction: 'DESC',
} as const satisfies Order<HistoryOrderField>;

export interface HistoryQuery {
  readonly filter?: HistoryFilter | undefined;
  /** What the prompt has to contain, whatever the case. Empty: anything. */
  readonly search?: string | null | undefined;
  /** @default NEWEST_FIRST */
  readonly order?: Order<HistoryOrderField> | undefined;
}
