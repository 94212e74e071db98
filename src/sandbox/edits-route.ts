import type { IncomingMessage, ServerResponse } from 'node:http';
import { countTextTokens } from '../models/text-tokens.ts';
import { checkKey } from './check-key.ts';
import { parseParams } from './edit-params.ts';
import { faultReply, isPaid } from './fault-replies.ts';
import type { Fault, FaultQueue } from './faults.ts';
import { drain, readForm } from './form.ts';
import { pickFiles } from './input-images.ts';
import type { KeptFiles } from './kept-files.ts';
import { ApiRefusal, type Reply } from './refusal.ts';
import { type Call, sendReply } from './send.ts';
import { createSendImages } from './send-images.ts';
import type { SeenRequest, StatsKeeper } from './stats.ts';
import type { Studio } from './studio.ts';

/** One POST to this route. */
interface EditCall extends Call {
  readonly seen: SeenRequest;
  readonly fault: Fault | null;
  readonly answer: (reply: Reply) => void;
}

export type EditsRoute = (req: IncomingMessage, res: ServerResponse, call: Call) => Promise<void>;

/**
 * POST /v1/images/edits. In this order: takes the next fault, checks the key, reads the whole body,
 * checks parameters and images, counts the edit as billed, makes images.
 */
export function createEditsRoute(parts: {
  studio: Studio;
  faults: FaultQueue;
  stats: StatsKeeper;
  keptFiles: KeptFiles;
  delayMs: number;
  apiKey: string | null;
}): EditsRoute {
  const { studio, faults, stats } = parts;
  const sendImages = createSendImages(parts);

  return async (req, res, call) => {
    const fault = faults.take();
    const length = req.headers['content-length'];
    const contentLength = length === undefined ? null : Number(length);
    const seen = stats.begin({ requestId: call.requestId, contentLength, fault });
    const answer = (reply: Reply) => {
      stats.answered(seen, reply.status);
      sendReply(res, reply, call);
    };
    try {
      await edit(req, res, { ...call, seen, fault, answer });
    } catch (error) {
      if (!(error instanceof ApiRefusal)) throw error;
      answer(error.toReply());
    }
  };

  async function edit(req: IncomingMessage, res: ServerResponse, call: EditCall): Promise<void> {
    const { seen, fault, answer } = call;
    if (fault?.kind === 'reset' && fault.when === 'before-body') {
      req.socket.resetAndDestroy();
      return;
    }
    const unauthorized = checkKey(req, parts.apiKey);
    if (unauthorized !== null) {
      await drain(req);
      throw unauthorized;
    }
    const form = await readForm(req, { keepBytes: studio.keepsBytes });
    stats.parsed(seen, form);
    const reply = fault && faultReply(fault);
    if (reply && !isPaid(fault) && fault?.kind !== 'moderation') return answer(reply);

    const params = parseParams(form);
    const files = pickFiles(form);
    const inputSizes = await studio.inspect(files);
    const textTokens = await countTextTokens(params.prompt);
    if (reply && !isPaid(fault)) return answer(reply);

    stats.paid(seen);
    if (reply) return answer(reply);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reset') {
      req.socket.resetAndDestroy();
      return;
    }
    const sitting = await studio
      .open(files, inputSizes, params, call.requestId)
      .catch((error: unknown) => {
        if (error instanceof ApiRefusal) stats.unpaid(seen);
        throw error;
      });
    stats.answered(seen, 200);
    const delayMs = fault?.kind === 'delay' ? fault.delayMs : parts.delayMs;
    const accepted = { params, inputSizes, textTokens, sitting, fault, delayMs };
    await sendImages(res, accepted, call);
  }
}
