import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import { answerParent } from './probe.ts';

/**
 * The least that does the same job, as one would write it in an afternoon: stores the upload while
 * hashing it, forwards it from the file with a known length, decodes the answer and stores that. No
 * checks, no database, no queue, no history, nothing that outlives a crash, and answers whole in
 * memory. Arguments: its directory, and the URL of the edits API.
 */
const [dir = '', editsApiUrl = ''] = process.argv.slice(2);
const READ_STEP_BYTES = 128 * 1024;

interface Stored {
  readonly path: string;
  readonly bytes: number;
}

async function storeUpload(file: Readable): Promise<Stored> {
  const staged = join(dir, randomUUID());
  const hash = createHash('sha256');
  const handle = await open(staged, 'w');
  let bytes = 0;
  for await (const chunk of file) {
    const written = handle.write(chunk, 0, chunk.length, bytes);
    hash.update(chunk);
    bytes += chunk.length;
    await written;
  }
  await handle.close();
  const path = join(dir, hash.digest('hex'));
  await rename(staged, path);
  return { path, bytes };
}

async function forward(
  { path, bytes }: Stored,
  n: string,
): Promise<{ data: { b64_json: string }[] }> {
  const boundary = `floor-${randomUUID()}`;
  const fields = { prompt: 'Make it brighter', model: 'gpt-image-1', size: '1024x1024', n };
  const parts = Object.entries(fields).map(
    ([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = Buffer.from(
    `${parts.join('')}--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="image.png"\r\n` +
      'Content-Type: image/png\r\n\r\n',
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const req = request(`${editsApiUrl}/images/edits`, {
    method: 'POST',
    agent: false,
    headers: {
      authorization: 'Bearer sk-bench',
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': head.length + bytes + tail.length,
    },
  });
  const answered = once(req, 'response');
  req.write(head);
  await pipeline(createReadStream(path, { highWaterMark: READ_STEP_BYTES }), req, { end: false });
  req.end(tail);
  const [res] = await answered;
  return (await json(res)) as { data: { b64_json: string }[] };
}

async function storeOutput(base64: string): Promise<string> {
  const image = Buffer.from(base64, 'base64');
  const sha256 = createHash('sha256').update(image).digest('hex');
  await writeFile(join(dir, sha256), image);
  return sha256;
}

async function edit(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const form = busboy({ headers: req.headers });
  const stored = Promise.withResolvers<Stored>();
  let n = '1';
  form.on('field', (name, value) => {
    if (name === 'operations') n = String(JSON.parse(value).variables.input.n);
  });
  form.on('file', (_, file) => stored.resolve(storeUpload(file)));
  await pipeline(req, form);
  const { data } = await forward(await stored.promise, n);
  const outputs = await Promise.all(data.map(({ b64_json }) => storeOutput(b64_json)));
  res.setHeader('content-type', 'application/json').end(JSON.stringify({ outputs }));
}

const server = createServer((req, res) => {
  edit(req, res).catch((error) => res.writeHead(500).end(String(error)));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
answerParent({
  url: `http://127.0.0.1:${port}`,
  stop: async () => {
    server.close();
    server.closeAllConnections();
  },
});
