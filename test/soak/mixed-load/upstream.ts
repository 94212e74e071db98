import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { readForm } from '../../../src/sandbox/form.ts';
import { ownCopy } from '../../support/edit-upload.ts';
import { noisePng } from '../../support/test-images.ts';

/** What became of the POSTs of one prompt. */
export interface Account {
  posts: number;
  /** Those that the API would bill. */
  paid: number;
  /** Reported in answers that went out as a whole. */
  tokens: number;
  /** SHA-256 of the images of such answers. */
  readonly outputs: string[];
}

/** An edits API that counts what it is paid for, and misbehaves at times. */
export interface PaidUpstream {
  /** For EDITS_API_URL. */
  readonly url: string;
  /** By prompt. */
  readonly accounts: ReadonlyMap<string, Account>;
  /** How often it did what. */
  readonly moods: ReadonlyMap<Mood, number>;
  stop(): Promise<void>;
}

/** What it does with how many of a thousand POSTs; all others are answered well. */
const MISBEHAVIOUR = {
  /** 429 with `Retry-After: 1`. */
  rateLimit: 15,
  /** 500 with the API's own error, and 503: neither is billed. */
  ownError: 15,
  unavailable: 10,
  moderation: 10,
  /** The answer takes five seconds. */
  slow: 20,
  /** 200, cut in the middle of its first image. */
  cut: 15,
  /** A reset after the body. */
  reset: 10,
} as const;

type Mood = keyof typeof MISBEHAVIOUR | 'good';

const OUTPUT_BYTES = [60_000, 250_000, 1_200_000];
const DELAY_MS = { least: 100, most: 1_200 };
const SLOW_STEPS = 20;
const SLOW_MS = 5_000;
const TOKENS = { text: 10, inputImage: 300, output: 1_000 };

export async function startPaidUpstream(random: () => number): Promise<PaidUpstream> {
  const pngs = await Promise.all(OUTPUT_BYTES.map(noisePng));
  const accounts = new Map<string, Account>();
  const moods = new Map<Mood, number>();

  function nextMood(): Mood {
    let left = random() * 1_000;
    for (const [mood, share] of Object.entries(MISBEHAVIOUR)) {
      left -= share;
      if (left < 0) return mood as Mood;
    }
    return 'good';
  }

  async function edit(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = await readForm(req, { keepBytes: false });
    const fields = new Map(form.fields);
    const prompt = fields.get('prompt') ?? '';
    const account = accounts.get(prompt) ?? { posts: 0, paid: 0, tokens: 0, outputs: [] };
    accounts.set(prompt, account);
    account.posts += 1;
    const mood = nextMood();
    moods.set(mood, (moods.get(mood) ?? 0) + 1);
    const refusal = REFUSALS[mood];
    if (refusal !== undefined) return refusal(res);
    account.paid += 1;
    await delay(DELAY_MS.least + random() * (DELAY_MS.most - DELAY_MS.least));
    if (mood === 'reset') return void req.socket.resetAndDestroy();

    const newImage = () =>
      Buffer.concat(ownCopy(pngs[Math.floor(random() * pngs.length)] as Buffer));
    const images = Array.from({ length: Number(fields.get('n') ?? 1) }, newImage);
    const tokens = usageOf(form.files.length, images.length);
    const partials =
      fields.get('stream') === 'true' ? Number(fields.get('partial_images') ?? 0) : null;
    const type = partials === null ? 'application/json' : 'text/event-stream';
    res.writeHead(200, { 'content-type': type, 'x-request-id': randomUUID() });
    const body =
      partials === null
        ? jsonOf(images, tokens)
        : [
            ...Array.from({ length: partials }, (_, index) =>
              eventOf('partial_image', newImage(), { partial_image_index: index }),
            ),
            ...images.map((image) => eventOf('completed', image, { usage: tokens })),
          ].join('');
    if (mood === 'cut') {
      const end = body.indexOf('"b64_json"') + 20_000;
      res.write(body.slice(0, end), () => res.destroy());
      return;
    }
    await send(res, body, mood === 'slow');
    account.tokens += tokens.total_tokens;
    account.outputs.push(
      ...images.map((image) => createHash('sha256').update(image).digest('hex')),
    );
  }

  const server = createServer((req, res) => {
    res.on('error', () => undefined);
    if (req.method !== 'POST') {
      res.writeHead(404).end();
      return;
    }
    // A client that goes away leaves what it was billed for.
    edit(req, res).catch(() => res.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    accounts,
    moods,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const refuse =
  (status: number, error: object, headers: Record<string, string> = {}) =>
  (res: ServerResponse) =>
    void res
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ error: { message: 'Not now.', type: 'server_error', ...error } }));

const REFUSALS: Partial<Record<Mood, (res: ServerResponse) => void>> = {
  rateLimit: refuse(429, { code: 'rate_limit_exceeded' }, { 'retry-after': '1' }),
  ownError: refuse(500, {}),
  unavailable: refuse(503, {}),
  moderation: refuse(400, { code: 'moderation_blocked', type: 'image_generation_user_error' }),
};

function usageOf(inputs: number, outputs: number) {
  const image = inputs * TOKENS.inputImage;
  const output = outputs * TOKENS.output;
  return {
    total_tokens: TOKENS.text + image + output,
    input_tokens: TOKENS.text + image,
    output_tokens: output,
    input_tokens_details: { text_tokens: TOKENS.text, image_tokens: image },
  };
}

const jsonOf = (images: readonly Buffer[], usage: object) =>
  JSON.stringify({
    created: Math.floor(Date.now() / 1_000),
    data: images.map((image) => ({ b64_json: image.toString('base64') })),
    usage,
  });

function eventOf(kind: 'partial_image' | 'completed', image: Buffer, more: object): string {
  const type = `image_edit.${kind}`;
  const data = { type, b64_json: image.toString('base64'), ...more };
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Resolves when the connection has taken all of it. @throws when it closes before. */
async function send(res: ServerResponse, body: string, isSlow: boolean): Promise<void> {
  const steps = isSlow ? SLOW_STEPS : 1;
  const step = Math.ceil(body.length / steps);
  for (let at = 0; at < body.length; at += step) {
    if (isSlow) await delay(SLOW_MS / steps);
    res.write(body.slice(at, at + step));
  }
  const finished = Promise.withResolvers<void>();
  res.once('close', () =>
    res.writableFinished ? finished.resolve() : finished.reject(new Error('closed')),
  );
  res.end(finished.resolve);
  await finished.promise;
}
