import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createCallLimits } from '../../../src/edits-api/request/call-limits.ts';
import { createMultipartBody } from '../../../src/edits-api/request/multipart-body.ts';
import { createTransport } from '../../../src/edits-api/request/transport.ts';
import { PATIENCE_MS } from '../../support/eventually.ts';
import { serve } from '../../support/http.ts';

it.each([
  ['larger than the buffer of a socket', 128 * 1024],
  ['smaller', 5_000],
])(
  'sends every byte as it was when a file reuses the memory of its chunks: %s',
  async (_, size) => {
    const content = randomBytes(8 * 1024 * 1024 + 70_000);
    const received: Buffer[] = [];
    const { url } = await serve(async (req, res) => {
      // Slower than the sender, so that its writes are still under way when it reads on.
      for await (const chunk of req) {
        received.push(chunk);
        for (let turn = 0; turn < 3; turn += 1) await new Promise((next) => setImmediate(next));
      }
      res.end('{}');
    });
    async function* chunks() {
      const memory = Buffer.alloc(size);
      for (let at = 0; at < content.length; at += size) {
        const bytes = content.copy(memory, 0, at);
        yield memory.subarray(0, bytes);
        memory.fill(0);
      }
    }
    const file = {
      filename: 'a.png',
      contentType: 'image/png',
      bytes: content.length,
      open: chunks,
    } as const;
    const body = createMultipartBody({ images: [file], fields: [] }, 'image[]');
    const transport = createTransport({
      endpoint: new URL(url),
      key: 'k',
      connectTimeoutMs: PATIENCE_MS,
      userAgent: 'test',
    });
    const limits = createCallLimits({ timeoutMs: PATIENCE_MS });
    try {
      const answer = await transport.post(body, limits, { stream: false });
      await answer.body.dump();
    } finally {
      limits.close();
      await transport.close();
    }
    const all = Buffer.concat(received);
    const start = all.indexOf('\r\n\r\n') + 4;
    const sent = all.subarray(start, start + content.length);
    const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(sha256(sent)).toBe(sha256(content));
  },
);
