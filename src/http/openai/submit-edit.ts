import type { IncomingHttpHeaders } from 'node:http';
import type { Viewer } from '../../auth/viewer.ts';
import type { PrismaClient } from '../../database/database.ts';
import { isFinal } from '../../edits/edit-status.ts';
import type { Edits } from '../../edits/submit/edits.ts';
import type { EditWait, EditWaits } from '../../edits/watch/edit-waits.ts';
import { mayBeSentAgain } from './edit-failure.ts';
import { type EditWithResult, findEdit } from './edit-result.ts';
import type { ReceivedEdit } from './receive/receive-edit.ts';

/** As setTimeout can wait: no wait for an edit ends by itself. */
const MAX_WAIT_MS = 2 ** 31 - 1;

const SOURCE = 'OPENAI_API';

export interface SubmittedEdit {
  readonly id: string;
  /** Whether an earlier request submitted it. */
  readonly isAttached: boolean;
  /**
   * Waits until it is final, and returns it. Null: the client has gone, or this process shuts down.
   * @throws NotFoundError if it was deleted.
   */
  untilFinal(): Promise<EditWithResult | null>;
  /** Ends the wait. */
  [Symbol.dispose](): void;
}

/**
 * Submits the edit of a request, or finds the one that an earlier, equal request submitted.
 * @throws as `Edits.create`
 */
export type SubmitEdit = (
  headers: IncomingHttpHeaders,
  received: ReceivedEdit,
  by: { viewer: Viewer; requestId: string; signal: AbortSignal },
) => Promise<SubmittedEdit>;

export function createSubmitEdit(options: {
  prisma: PrismaClient;
  edits: Pick<Edits, 'create' | 'retry'>;
  editWaits: EditWaits;
}): SubmitEdit {
  const { prisma, edits, editWaits } = options;

  return async (headers, received, { viewer, requestId, signal }) => {
    const { params, images, mask } = received;
    const idempotencyKey = idempotencyKeyOf(headers);
    const request = {
      requestId,
      retryCount: retryCountOf(headers),
      isNew: headerOf(headers, 'x-retouch-new') === 'true',
      signal,
    };
    const waits = new Map<string, EditWait>();
    const expect = (jobId: string) => {
      const wait = editWaits.expect(jobId);
      waits.set(jobId, wait);
      return wait;
    };
    const endWaits = () => {
      for (const wait of waits.values()) wait.end();
    };

    async function create() {
      let found = await edits.create(
        viewer,
        {
          ...params,
          idempotencyKey,
          source: SOURCE,
          request,
          imageCount: images.length,
          hasImages: true,
          loadImages: async () => ({ images, mask }),
        },
        expect,
      );
      // A key stands for one edit. If that was surely not processed, a repeat sends it again.
      while (idempotencyKey !== null && !found.isNew) {
        if (!mayBeSentAgain(await findEdit(prisma, viewer, found.id))) break;
        const again = { idempotencyKey: `again ${found.id}`, source: SOURCE } as const;
        found = await edits.retry(viewer, found.id, again, expect);
      }
      return found;
    }

    try {
      const { id, isNew } = await create();
      const wait = waits.get(id) ?? expect(id);
      return {
        id,
        isAttached: !isNew,
        async untilFinal() {
          await wait.untilFinal({ timeoutMs: MAX_WAIT_MS, isNew, signal });
          if (signal.aborted) return null;
          const edit = await findEdit(prisma, viewer, id);
          return isFinal(edit.status) ? edit : null;
        },
        [Symbol.dispose]: endWaits,
      };
    } catch (error) {
      endWaits();
      throw error;
    }
  };
}

/** Null: the request has none. */
export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | null {
  return headerOf(headers, 'idempotency-key');
}

/** How often OpenAI's SDKs sent the same request before. */
function retryCountOf(headers: IncomingHttpHeaders): number {
  const count = Number(headerOf(headers, 'x-stainless-retry-count') ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
