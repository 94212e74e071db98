import { once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { createStalledResponses } from '../../src/http/stalled-responses.ts';
import { serve } from '../support/http.ts';

const CHUNK = Buffer.alloc(256 * 1024, 'x');

/** A server that writes as long as its client takes it, and a client that has begun to read. */
async function stream(maxStallMs: number) {
  const stalled: ServerResponse[] = [];
  const watcher = createStalledResponses({ maxStallMs, onStalled: (res) => stalled.push(res) });
  onTestFinished(() => watcher.stop());
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const { url } = await serve((_req, res) => {
    watcher.watch(res);
    const write = () => {
      while (!res.destroyed && res.write(CHUNK));
    };
    res.on('drain', write).once('close', () => resolve());
    write();
  });
  const req = request(url).end();
  req.on('error', () => {});
  const [res] = await once(req, 'response');
  res.on('error', () => {});
  return { closed, stalled };
}

test('a client that reads nothing any more is cut off', async () => {
  const { closed, stalled } = await stream(200);
  await closed;
  expect(stalled).toHaveLength(1);
});
