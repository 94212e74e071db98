import type { ServerResponse } from 'node:http';
import type { Viewer } from '../../auth/viewer.ts';
import { visibleTo } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { EditSubscriptions } from '../../edits/watch/edit-subscriptions.ts';
import { blobKey } from '../../images/storage/blob-key.ts';
import type { BlobStore } from '../../images/storage/blob-store.ts';
import { completedEvents, partialImageEvent } from './edit-events.ts';
import type { EditWithResult } from './edit-result.ts';
import { type EventStream, openEventStream } from './event-stream.ts';
import type { SubmittedEdit } from './submit-edit.ts';

/**
 * Sends the events of an edit: its partial images as they arrive, then its output images. Returns
 * the edit; null as `untilFinal`. An edit without output images gets no event.
 */
export type StreamEdit = (
  res: ServerResponse,
  submitted: SubmittedEdit,
  by: { readonly viewer: Viewer; readonly signal: AbortSignal },
) => Promise<{ readonly edit: EditWithResult | null; readonly stream: EventStream }>;

export function createStreamEdit(options: {
  prisma: PrismaClient;
  editSubscriptions: Pick<EditSubscriptions, 'toJob'>;
  blobs: Pick<BlobStore, 'pieces'>;
  /** @default 15_000 // 15 seconds */
  keepAliveMs?: number;
}): StreamEdit {
  const { prisma, editSubscriptions, blobs, keepAliveMs } = options;

  /** Sends the partial images from a position on, and returns the position after them. */
  async function sendPartials(stream: EventStream, id: string, viewer: Viewer, from: number) {
    const job = await prisma.editJob.findFirst({
      where: { id, ...visibleTo(viewer) },
      include: {
        images: {
          where: { role: 'PARTIAL', position: { gte: from } },
          orderBy: { position: 'asc' },
          include: { image: { select: { ownerId: true, sha256: true, bytes: true } } },
        },
      },
    });
    if (job === null) return from;
    for (const { image, position } of job.images) {
      const { bytes } = image;
      const parts = partialImageEvent(job, { key: blobKey(image), bytes }, position);
      await stream.send('image_edit.partial_image', parts);
    }
    return (job.images.at(-1)?.position ?? from - 1) + 1;
  }

  return async (res, submitted, { viewer, signal }) => {
    const stream = openEventStream(res, { blobs, signal, keepAliveMs });
    try {
      const events = await editSubscriptions.toJob(viewer, submitted.id);
      // Ends the events, too, when the client has gone or this process shuts down.
      const final = submitted.untilFinal().finally(() => events.return?.());
      // Awaited below, unless the events fail first: both may, when the database is away.
      final.catch(() => undefined);
      let next = 0;
      try {
        for await (const event of events) {
          if (event instanceof Error) break;
          next = await sendPartials(stream, submitted.id, viewer, next);
        }
      } finally {
        await events.return?.();
      }
      const edit = await final;
      if (edit?.status === 'SUCCEEDED') {
        for (const parts of completedEvents(edit)) await stream.send('image_edit.completed', parts);
        stream.end();
      }
      return { edit, stream };
    } finally {
      stream.close();
    }
  };
}
