import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { ownCopy } from '../../test/support/edit-upload.ts';
import { noisePng } from '../../test/support/test-images.ts';
import { assertEdited, EDIT } from '../forward/load.ts';
import type { Asked, AskedEdit, FromClient } from './client-process.ts';

/**
 * Sends one edit at a time, as its parent asks. Arguments: the URL of the service, and the bytes of an
 * image.
 *
 * Both APIs get the same body but for its few fields, at the same pace: a `FormData` of the same
 * `File`s, which the same `fetch` encodes and sends. Every file has a text of its own inside, so that
 * none is stored already. The SDK makes its `FormData` by itself. What the client does with a response
 * (the SDK holds it whole and parses it) is in the time of that API.
 */
const [url = '', imageBytes = ''] = process.argv.slice(2);
const PROMPT = 'Make it brighter';
/** Longer than any edit takes here: both wait for the end. */
const WAIT_SECONDS = 600;
const LATE_MS = 1_000;

interface SentEdit extends AskedEdit {
  readonly files: File[];
  readonly idempotencyKey: string;
}

const png = await noisePng(Number(imageBytes));
let last: SentEdit | null = null;
/** When the head of the last response arrived. */
let firstByteAtMs = 0;
/** How long its body is left unread. */
let pauseMs = 0;

const timedFetch: typeof fetch = async (...request) => {
  const response = await fetch(...request);
  firstByteAtMs = performance.now();
  if (pauseMs > 0) await sleep(pauseMs);
  return response;
};

const client = new OpenAI({
  baseURL: `${url}/v1`,
  apiKey: 'sk-bench',
  maxRetries: 0,
  fetch: timedFetch,
});

const SEND = {
  async openai({ files, n, idempotencyKey }: SentEdit): Promise<void> {
    const edit = { image: files, prompt: PROMPT, n };
    const { data } = await client.images.edit(edit, { idempotencyKey });
    assertEdited({ outputs: data?.filter(({ b64_json }) => b64_json) }, n);
  },
  async graphql({ files, n, idempotencyKey }: SentEdit): Promise<void> {
    const input = {
      prompt: PROMPT,
      n,
      idempotencyKey,
      wait: WAIT_SECONDS,
      images: files.map(() => ({ file: null })),
    };
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: EDIT, variables: { input } }));
    const paths = files.map((_, index) => [index, [`variables.input.images.${index}.file`]]);
    form.set('map', JSON.stringify(Object.fromEntries(paths)));
    for (const [index, file] of files.entries()) form.set(String(index), file);
    const response = await timedFetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'apollo-require-preflight': 'true' },
      body: form,
    });
    assertEdited(await response.json(), n);
  },
};

async function send(edit: SentEdit, readAfterMs: number): Promise<FromClient> {
  pauseMs = readAfterMs;
  const startedMs = performance.now();
  await SEND[edit.api](edit);
  return { ms: performance.now() - startedMs, firstByteMs: firstByteAtMs - startedMs };
}

function newEdit(asked: AskedEdit): SentEdit {
  const files = Array.from({ length: asked.images }, (_, index) => {
    const pieces = ownCopy(png).map((piece) => new Uint8Array(piece));
    return new File(pieces, `${index}.png`, { type: 'image/png' });
  });
  return { ...asked, files, idempotencyKey: randomUUID() };
}

async function answer(asked: Asked): Promise<FromClient> {
  if (asked !== 'again') {
    last = newEdit(asked);
    return send(last, 0);
  }
  if (last === null) throw new Error('there is no edit to repeat');
  return send(last, LATE_MS);
}

process.on('message', (asked: Asked) => {
  answer(asked).then(
    (timed) => process.send?.(timed),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    },
  );
});
process.send?.('ready');
