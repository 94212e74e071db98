import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PixelSize } from '../models/sizes.ts';
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
import type { EditParams } from './edit-params.ts';
import type { Fault } from './faults.ts';
import type { KeptFiles } from './kept-files.ts';
import { type Call, startAnswer } from './send.ts';
import type { SeenRequest, StatsKeeper } from './stats.ts';
import type { EncodedImage, Sitting } from './studio.ts';

/** An edit that was accepted and billed. */
export interface Accepted {
  readonly params: EditParams;
  readonly inputSizes: readonly PixelSize[];
  /** Of the prompt. */
  readonly textTokens: number;
  readonly sitting: Sitting;
  readonly fault: Fault | null;
  readonly delayMs: number;
}

/** Sends the images of an accepted edit as JSON or as an event stream, with the edit's fault. */
export type SendImages = (
  res: ServerResponse,
  edit: Accepted,
  call: Call & { readonly seen: SeenRequest },
) => Promise<void>;

export function createSendImages(parts: { stats: StatsKeeper; keptFiles: KeptFiles }): SendImages {
  const { stats, keptFiles } = parts;

  return (res, edit, call) =>
    edit.params.stream ? answerStream(res, edit, call) : answerJson(res, edit, call);

  async function answerJson(
    res: ServerResponse,
    edit: Accepted,
    call: Parameters<SendImages>[2],
  ): Promise<void> {
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
    if (fault?.kind === 'bad_base64') return member('b64_json', '*** this is not base64 ***');
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
