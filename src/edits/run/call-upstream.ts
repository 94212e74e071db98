import type { EditsApiAnswer } from '../../edits-api/edits-api.ts';
import { EditsApiError } from '../../edits-api/edits-api-error.ts';
import type { Log } from '../../log.ts';
import type { AnswerFiles } from './answer-files.ts';
import { headOf, isLocal } from './attempt-failure.ts';
import type { ClaimedJob } from './claim-edit.ts';
import type { EditRequests } from './edit-request.ts';
import type { PartialImages } from './partial-images.ts';
import { retryUntilDone, ShutdownError } from './retry-until-done.ts';

/**
 * Sends a claimed edit: at most one POST. A complete response that could not be decoded for a reason of
 * this process (such as a full disk) was paid for: its raw bytes are read again until that works.
 * @throws EditsApiError; ShutdownError if `stopping` interrupts something that the next start can do.
 */
export type CallUpstream = (
  job: ClaimedJob,
  call: {
    /** Aborts the call, its outcome unknown. */
    readonly signal: AbortSignal;
    /** Aborted when this process shuts down. */
    readonly stopping: AbortSignal;
    readonly log: Log;
  },
) => Promise<EditsApiAnswer>;

export function createCallUpstream(options: {
  requests: EditRequests;
  partialImages: PartialImages;
  answerFiles: AnswerFiles;
  timeoutMs: number;
}): CallUpstream {
  const { requests, partialImages, answerFiles, timeoutMs } = options;

  return async (job, { signal, stopping, log }) => {
    const request = await requests.prepare(job, signal);
    let isReceived = false;
    const onReceived = () => {
      isReceived = true;
      log.debug('response received, fetching its images');
    };
    try {
      const rawAnswerPath = answerFiles.pathOf(job.attemptId);
      const partials = partialImages.begin(job, log);
      const call = { signal, timeoutMs, rawAnswerPath, onReceived, onPartialImage: partials.take };
      return await job.upstream.edit(request, call).finally(partials.stored);
    } catch (error) {
      if (isReceived && stopping.aborted) {
        const message = 'shut down before the images of a response were fetched';
        throw new ShutdownError(message, { cause: error });
      }
      if (!isLocal(error)) throw error;
      const saved = await retryUntilDone(log, stopping, () => readSaved(job, stopping));
      if (saved === null) throw error;
      return { ...saved, ...headOf(error) };
    }
  };

  /** Null if it is incomplete or not a usable response: the first error says more then. */
  async function readSaved(job: ClaimedJob, signal: AbortSignal): Promise<EditsApiAnswer | null> {
    const { attemptId, n: expectedImages, upstream } = job;
    try {
      const bytes = answerFiles.bytes(attemptId);
      return await upstream.readSaved({ bytes, expectedImages, signal });
    } catch (error) {
      if (error instanceof EditsApiError) return null;
      throw error;
    }
  }
}
