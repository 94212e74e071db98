import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { afterEach } from 'vitest';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { PATIENCE_MS } from '../support/eventually.ts';

/** For polling until something has happened. */
export const PATIENT = { timeout: PATIENCE_MS, interval: 5 };

export interface Bench {
  readonly sandbox: Sandbox;
  /** Ends in /v1. */
  readonly url: string;
  readonly openai: OpenAI;
}

/** Starts sandboxes that are stopped after the test. */
export function useSandbox(): (options?: SandboxOptions) => Promise<Bench> {
  const started: Sandbox[] = [];
  afterEach(async () => {
    await Promise.all(started.splice(0).map((sandbox) => sandbox.stop()));
  });
  return async (options = {}) => {
    const sandbox = createSandbox({ delayMs: 0, ...options });
    started.push(sandbox);
    const { url } = await sandbox.start();
    return { sandbox, url, openai: new OpenAI({ baseURL: url, apiKey: 'sk-any', maxRetries: 0 }) };
  };
}

export function upload(data: Buffer, type = 'image/png', name = 'image.png') {
  return toFile(data, name, { type });
}

/** A plain image of one colour. */
export function plain(width: number, height: number, color = '#3a6ea5'): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: color } })
    .png()
    .toBuffer();
}

export function pixels(data: Buffer) {
  return sharp(data).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
}

export interface Part {
  readonly name: string;
  readonly value: string | Buffer;
  readonly filename?: string;
  readonly type?: string;
}

const BOUNDARY = 'sandbox-test-boundary';

export function multipart(parts: readonly Part[]): Buffer {
  const chunks = parts.map(({ name, value, filename, type }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`;
    const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`;
    return Buffer.concat([
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n`),
      Buffer.from(`${contentType}\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]);
  });
  return Buffer.concat([...chunks, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

export const MULTIPART_HEADERS = {
  authorization: 'Bearer sk-any',
  'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
};

/** A good request, with some parts added. */
export async function parts(...more: Part[]): Promise<Part[]> {
  const value = await plain(8, 8);
  return [
    { name: 'image', value, filename: 'a.png', type: 'image/png' },
    { name: 'prompt', value: 'a red hat' },
    ...more,
  ];
}

export function post(url: string, body: readonly Part[], init: RequestInit = {}) {
  return fetch(`${url}/images/edits`, {
    method: 'POST',
    headers: MULTIPART_HEADERS,
    body: new Uint8Array(multipart(body)),
    ...init,
  });
}

/** Queues the fault and posts a good request. */
export async function postWith({ sandbox, url }: Bench, fault: FaultInput, ...more: Part[]) {
  sandbox.faults.push(fault);
  return post(url, await parts(...more), { redirect: 'manual' });
}

/** The error as the API words it. */
export async function errorOf(response: Response) {
  const body = (await response.json()) as {
    error: { message: string; type: string; param: string | null; code: string | null };
  };
  return { status: response.status, ...body.error };
}

/** Posts over a connection of its own, and answers it for killing. */
export async function openConnection(url: string, body: Buffer, sendBytes = body.length) {
  const req = request(`${url}/images/edits`, {
    method: 'POST',
    agent: false,
    headers: { ...MULTIPART_HEADERS, 'content-length': body.length },
  });
  req.on('error', () => {
    // The test ends this connection itself.
  });
  req.write(body.subarray(0, sendBytes));
  const [socket] = (await once(req, 'socket')) as [Socket];
  return { req, socket };
}
