import type { Prisma } from '../database/database.ts';
import { type ErrorReader, toErrorRecord, toUsageRecord } from '../edits/outcome-record.ts';
import { TYPE_OF_EVENT, type WebhookEvent } from './webhook-event.ts';

/** The job's fields in a message: no prompt, no images. */
export const MESSAGE_FIELDS = {
  id: true,
  ownerId: true,
  status: true,
  model: true,
  metadata: true,
  errorCode: true,
  errorMessage: true,
  createdAt: true,
  finishedAt: true,
  usage: true,
  images: {
    where: { role: 'OUTPUT' },
    orderBy: { position: 'asc' },
    select: { imageId: true },
  },
} satisfies Prisma.EditJobSelect;

export type MessageJob = Prisma.EditJobGetPayload<{ select: typeof MESSAGE_FIELDS }>;

/** Converts ids to public ids and links. */
export interface Links {
  globalId(typename: 'EditJob' | 'Image', id: string): string;
  imageUrl(imageId: string): string;
}

/**
 * The body of a message, as in Standard Webhooks; names are GraphQL's. Built for each attempt, with
 * the same result, because the job is final; only links to images may be signed anew.
 */
export function editMessage(
  event: WebhookEvent,
  job: MessageJob,
  links: Links,
  reader: ErrorReader,
): string {
  return JSON.stringify({
    type: TYPE_OF_EVENT[event],
    timestamp: job.finishedAt ?? job.createdAt,
    data: {
      editJob: {
        id: links.globalId('EditJob', job.id),
        owner: { id: job.ownerId },
        status: job.status,
        model: job.model,
        createdAt: job.createdAt,
        finishedAt: job.finishedAt,
        metadata: job.metadata,
        outputImages: job.images.map(({ imageId }) => ({
          id: links.globalId('Image', imageId),
          url: links.imageUrl(imageId),
        })),
        usage: toUsageRecord(job.usage),
        error: toErrorRecord(job, reader),
      },
    },
  });
}
