import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { png } from '../support/test-images.ts';
import {
  answerOf,
  clientOf,
  clientOfServer,
  failureOf,
  fileOf,
  serveSockets,
} from './client-support.ts';

const late = { code: 'TIMEOUT', outcome: 'unknown' };
const timeoutMs = 400;

/** Writes one piece after the other, for as long as somebody listens. */
async function drip(socket: Socket, pieces: string): Promise<void> {
  for (let at = 0; !socket.destroyed; at += 1) {
    socket.write(pieces[at % pieces.length] ?? '');
    await delay(2);
  }
}

describe('the deadline', () => {
  it('ends a call whose request is read and never answered', async () => {
    const { edit, stagedFiles } = await clientOfServer(() => {});
    expect(await failureOf(edit({}, { timeoutMs }))).toMatchObject(late);
    expect(await stagedFiles()).toEqual([]);
  });

  it('ends a call whose connection is taken and never read', async () => {
    const url = await serveSockets((socket) => socket.pause());
    const { edit } = await clientOf({ url });
    const images = [fileOf(Buffer.alloc(32 * 1024 * 1024))];
    expect(await failureOf(edit({ images }, { timeoutMs }))).toMatchObject(late);
  });

  it('ends a call whose answer drips, header by header', async () => {
    const url = await serveSockets((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      void drip(socket, 'x-a: b\r\n');
    });
    const { edit } = await clientOf({ url });
    expect(await failureOf(edit({}, { timeoutMs }))).toMatchObject(late);
  });

  it('ends a call whose answer drips, byte by byte, and leaves no staged file', async () => {
    const url = await serveSockets((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n{"data":[{"b64_json":"iVBORw0KGgo');
      void drip(socket, 'AbcD');
    });
    const { edit, stagedFiles, rawAnswer } = await clientOf({ url });

    expect(await failureOf(edit({}, { timeoutMs }))).toMatchObject({ ...late, httpStatus: 200 });
    expect((await rawAnswer()).toString()).toMatch(/^\{"data":\[\{"b64_json":"iVBORw0KGgo/);
    expect(await stagedFiles()).toEqual([]);
  });

  it('ends a call whose refusal drips, and still says what its status means', async () => {
    const url = await serveSockets((socket) => {
      socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n');
      void drip(socket, 'no ');
    });
    const { edit } = await clientOf({ url });
    expect(await failureOf(edit({}, { timeoutMs }))).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      outcome: 'refused',
    });
  });

  it('is not waited for when a refusal is whole and left open', async () => {
    const { edit } = await clientOfServer(async (req, res) => {
      await buffer(req);
      res.writeHead(400).write('{"error":{"message":"no"}}');
    });
    const message = 'The upstream returned 400: no';
    expect(await failureOf(edit({}, { timeoutMs: 60 * 60_000 }))).toMatchObject({ message });
  });

  it('ends a call whose image never comes from the disk', async () => {
    const hanging = new Readable({ read() {} });
    const { edit } = await clientOfServer((req) => req.resume());
    const images = [fileOf(Buffer.alloc(10), { open: () => hanging })];

    expect(await failureOf(edit({ images }, { timeoutMs }))).toMatchObject(late);
    expect(hanging.destroyed).toBe(true);
  });

  it('ends a call that is still connecting as not processed', async () => {
    const url = await serveSockets(() => {});
    const { edit } = await clientOf({ url: url.replace('http:', 'https:') });
    expect(await failureOf(edit({}, { timeoutMs }))).toMatchObject({
      code: 'TIMEOUT',
      outcome: 'not_processed',
    });
  });
});

describe('an abort', () => {
  it('before the call sends nothing', async () => {
    let posts = 0;
    const { edit } = await clientOfServer(() => {
      posts += 1;
    });
    const error = await failureOf(edit({}, { signal: AbortSignal.abort() }));

    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'not_processed' });
    expect(posts).toBe(0);
  });

  it('ends a call whose request went out, and its connection', async () => {
    const controller = new AbortController();
    const gone = Promise.withResolvers<void>();
    const { edit } = await clientOfServer(async (req) => {
      req.socket.once('close', () => gone.resolve());
      await buffer(req);
      controller.abort();
    });
    const error = await failureOf(edit({}, { signal: controller.signal }));

    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    await gone.promise;
  });

  it('ends a call whose answer is half here, and leaves no staged file', async () => {
    const controller = new AbortController();
    const text = answerOf([await png()]);
    const { edit, stagedFiles } = await clientOfServer(async (req, res) => {
      await buffer(req);
      res.write(text.slice(0, -100), () => controller.abort());
    });
    const error = await failureOf(edit({}, { signal: controller.signal }));

    expect(error).toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    expect(await stagedFiles()).toEqual([]);
  });

  it('of one call leaves another alone', async () => {
    const controller = new AbortController();
    const bothHere = Promise.withResolvers<void>();
    let calls = 0;
    const { edit, rawAnswerPath } = await clientOfServer(async (req, res) => {
      await buffer(req);
      calls += 1;
      if (calls === 2) bothHere.resolve();
      await bothHere.promise;
      controller.abort();
      res.end(answerOf([await png()]));
    });
    const [aborted, kept] = await Promise.all([
      failureOf(edit({}, { signal: controller.signal })),
      edit({}, { rawAnswerPath: `${rawAnswerPath}-other` }),
    ]);

    expect(aborted.code).toBe('ABORTED');
    expect(kept.images).toHaveLength(1);
  });
});
