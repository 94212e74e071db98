import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { viewerOf } from '../../../src/auth/visible.ts';
import type { PrismaClient } from '../../../src/database/database.ts';
import { createEventQueue } from '../../../src/edits/watch/event-queue.ts';
import { createStreamEdit } from '../../../src/http/openai/stream-edit.ts';

test('a stream whose events and whose wait both fail rejects once, and ends no process', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const asked = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  asked.catch(() => undefined);
  const [, res] = (await once(server, 'request')) as [unknown, ServerResponse];
  const queue = createEventQueue({ onEnd: () => {} });
  queue.push({ type: 'CURRENT', jobId: 'j', partialImageIndex: null });
  const wait = Promise.withResolvers<null>();
  const streamEdit = createStreamEdit({
    prisma: {
      editJob: { findFirst: () => Promise.reject(new Error('database away')) },
    } as unknown as PrismaClient,
    editSubscriptions: { toJob: async () => queue },
    blobs: { pieces: () => queue as never },
  });
  const submitted = { id: 'j', isAttached: false, untilFinal: () => wait.promise };
  const signal = new AbortController().signal;
  const by = { viewer: viewerOf('me'), signal };
  const streamed = streamEdit(res, { ...submitted, [Symbol.dispose]() {} }, by);
  await expect(streamed).rejects.toThrow('database away');
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.once('unhandledRejection', note);
  wait.reject(new Error('database still away'));
  await turn();
  await turn();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
