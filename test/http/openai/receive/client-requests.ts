import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';
import OpenAI, { toFile } from 'openai';

const RECORDED = join(import.meta.dirname, 'recorded');
export const IMAGE_FILE = join(RECORDED, 'image.png');
export const MASK_FILE = join(RECORDED, 'mask.png');
const PROMPT = 'a hat – 帽子';

/** Each sends one edit: two images, a mask, `n` 2, `size` 1024x1024, and `user` where it can. */
export const CLIENTS: Readonly<Record<string, (baseUrl: string) => Promise<unknown>>> = {
  async 'openai-node'(baseURL) {
    const client = new OpenAI({ baseURL, apiKey: 'sk-none', maxRetries: 0 });
    const file = async (path: string) =>
      toFile(await readFile(path), 'image.png', { type: 'image/png' });
    await client.images.edit({
      image: [await file(IMAGE_FILE), await file(IMAGE_FILE)],
      mask: await file(MASK_FILE),
      prompt: PROMPT,
      model: 'gpt-image-1',
      n: 2,
      size: '1024x1024',
      user: 'u',
    });
  },
  async 'vercel-ai'(baseURL) {
    const provider = createOpenAI({ baseURL, apiKey: 'sk-none' });
    const image = await readFile(IMAGE_FILE);
    await generateImage({
      model: provider.image('gpt-image-1'),
      prompt: { text: PROMPT, images: [image, image], mask: await readFile(MASK_FILE) },
      n: 2,
      size: '1024x1024',
      providerOptions: { openai: { user: 'u' } },
      maxRetries: 0,
    });
  },
  async 'openai-python'(baseUrl) {
    const { port } = new URL(baseUrl);
    const script = join(RECORDED, 'client.py');
    await promisify(execFile)('python3', [script, port, IMAGE_FILE, MASK_FILE]);
  },
};

/**
 * The bytes of one request of a client, head and body, as they were recorded. A missing recording is
 * made: remove the file to record a newer client.
 */
export async function recordedRequest(name: string): Promise<Buffer> {
  const path = join(RECORDED, `${name}.http`);
  const found = await readFile(path).catch(() => null);
  if (found !== null) return found;
  const recorded = await record(name);
  await writeFile(path, recorded);
  return recorded;
}

/** The response to exactly these bytes. */
export async function replay(port: number, request: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  return (await buffer(socket)).toString();
}

async function record(name: string): Promise<Buffer> {
  const api = createServer(async (req, res) => {
    await buffer(req);
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] }));
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  const chunks: Buffer[] = [];
  const tap = createTcpServer((socket) => {
    const behind = connect((api.address() as AddressInfo).port, '127.0.0.1');
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.pipe(behind).pipe(socket);
    socket.on('error', () => behind.destroy());
  }).listen(0, '127.0.0.1');
  await once(tap, 'listening');
  await CLIENTS[name]?.(`http://127.0.0.1:${(tap.address() as AddressInfo).port}/v1`);
  tap.close();
  api.closeAllConnections();
  api.close();
  const bytes = Buffer.concat(chunks);
  const end = bytes.indexOf('\r\n\r\n');
  const head = bytes
    .toString('latin1', 0, end)
    .replace(/^host: .*/im, 'host: retouch.example')
    .replace(/^connection: .*/im, 'connection: close');
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end)]);
}
