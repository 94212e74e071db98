import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PixelSize } from '../models/sizes.ts';
import { countTextTokens } from '../models/text-tokens.ts';
import {
  type Chunks,
  factsOf,
  imageMember,
  jsonBody,
  member,
  streamEvent,
  usageOf,
  withoutInput,
} from './answer.ts';
import { byteLength, distortBody, distortEvent, write, writeHalf } from './deliver.ts';
import { type EditParams, parseParams } from './edit-params.ts';
import { faultReply, isPaid } from './fault-replies.ts';
import type { Fault, FaultQueue } from './faults.ts';
import { drain, readForm } from './form.ts';
import { pickFiles } from './input-images.ts';
import type { KeptFiles } from './kept-files.ts';
import { ApiRefusal, type Reply } from './refusal.ts';
import { type Call, sendReply, startAnswer } from './send.ts';
import type { SeenRequest, StatsKeeper } from './stats.ts';
import type { EncodedImage, Sitting, Studio } from './studio.ts';

/** One POST to this route. */
interface EditCall extends Call {
  readonly seen: SeenRequest;
  readonly fault: Fault | null;
  readonly answer: (reply: Reply) => void;
}

export type EditsRoute = (req: IncomingMessage, res: ServerResponse, call: Call) => Promise<void>;

/** An edit that was accepted and billed. */
interface Accepted {
  readonly params: EditParams;
  readonly inputSizes: readonly PixelSize[];
  /** Tokens of the prompt. */
  readonly textTokens: number;
  readonly sitting: Sitting;
  readonly fault: Fault | null;
  readonly delayMs: number;
}

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
  const { studio, faults, stats, keptFiles } = parts;

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
    await (params.stream ? answerStream : answerJson)(res, accepted, call);
  }

  async function answerJson(res: ServerResponse, edit: Accepted, call: EditCall): Promise<void> {
    const { params, sitting, fault } = edit;
    await sleep(edit.delayMs, undefined, { signal: call.signal });
    const members: Chunks[] = [];
    for (let k = 1; k <= params.n; k += 1) {
      call.signal.throwIfAborted();
      members.push(memberOf(await sitting.image(k), edit, call));
    }
    const usage =
      fault?.kind === 'no_usage'
        ? null
        : usageOf(params, { ...edit, size: billedSize(edit), images: params.n });
    stats.used(call.seen, usage);
    const body = distortBody(
      jsonBody(factsOf(params, sitting.size), fault?.kind === 'empty_data' ? [] : members, usage),
      fault,
    );
    const headers = {
      'content-type': 'application/json',
      'content-length': String(byteLength(body)),
    };
    startAnswer(res, 200, headers, call);
    await deliver(res, body, edit, call);
    res.end();
  }

  async function answerStream(res: ServerResponse, edit: Accepted, call: Call): Promise<void> {
    const { params, sitting, fault } = edit;
    const facts = factsOf(params, sitting.size);
    const whole = usageOf(params, { ...edit, size: billedSize(edit), images: 1 });
    const events = (params.partialImages + 1) * params.n;
    const pause = () => sleep(edit.delayMs / events, undefined, { signal: call.signal });
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' };
    startAnswer(res, 200, { ...headers, 'cache-control': 'no-cache' }, call);
    res.flushHeaders();
    for (let k = 1; k <= params.n; k += 1) {
      for (let index = 0; index < params.partialImages; index += 1) {
        await pause();
        const image = imageMember(await sitting.partial(k, index));
        await write(res, streamEvent(facts, image, { partialImageIndex: index }), call);
      }
      await pause();
      if (fault?.kind === 'empty_data') continue;
      const share = k === 1 ? whole : withoutInput(whole);
      const usage = fault?.kind === 'no_usage' ? null : share;
      const image = memberOf(await sitting.image(k), edit, call);
      await deliver(res, distortEvent(streamEvent(facts, image, { usage }), fault), edit, call);
    }
    res.end();
  }

  async function deliver(
    res: ServerResponse,
    chunks: Chunks,
    { fault }: Accepted,
    { signal }: Call,
  ): Promise<void> {
    if (fault?.kind === 'truncate') return writeHalf(res, chunks, signal);
    const rate = fault?.kind === 'slow' ? { bytesPerSecond: fault.bytesPerSecond } : {};
    await write(res, chunks, { signal, ...rate });
  }

  function memberOf(image: EncodedImage, { params, fault }: Accepted, call: Call): Chunks {
    if (fault?.kind === 'bad_base64') return member('b64_json', '*** this is no base64 ***');
    if (fault?.kind === 'not_an_image') {
      return member('b64_json', Buffer.from('This is text, not an image.').toString('base64'));
    }
    if (fault?.kind !== 'url') return imageMember(image);
    const path = keptFiles.keep(image.bytes, `image/${params.outputFormat}`);
    return member('url', fault.url ?? new URL(path, call.origin).href);
  }
}

/** The requested size is billed, even if prepared images have another size. */
function billedSize({ params, sitting }: Accepted): PixelSize {
  return params.size === 'auto' ? sitting.size : params.size;
}

/** Accepts any key unless one is configured. No message or log contains the key. */
function checkKey(req: IncomingMessage, apiKey: string | null): ApiRefusal | null {
  const key = /^Bearer\s+(\S+)\s*$/i.exec(req.headers.authorization ?? '')?.[1];
  if (key === undefined) {
    return new ApiRefusal(
      "You didn't provide an API key. You need to provide your API key in an Authorization header " +
        'using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).',
      { status: 401 },
    );
  }
  if (apiKey === null || key === apiKey) return null;
  return new ApiRefusal('Incorrect API key provided.', { status: 401, code: 'invalid_api_key' });
}
