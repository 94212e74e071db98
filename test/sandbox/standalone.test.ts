import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { parts, post, useSandbox } from './support.ts';

const ENTRY = fileURLToPath(new URL('../../src/sandbox/standalone.ts', import.meta.url));
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

async function run(...args: string[]) {
  const child = spawn(process.execPath, [ENTRY, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, ...(JSON.parse(line) as { url: string }) };
}

describe('the standalone sandbox', () => {
  it('prints its url, answers, can be told to fail, and exits with 0 on SIGTERM', async () => {
    const { child, url } = await run('--port', '0', '--delay-ms', '0');
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect((await post(url, await parts())).status).toBe(200);
    await fetch(new URL('/sandbox/faults', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[{"kind":"moderation"}]',
    });
    expect((await post(url, await parts())).status).toBe(400);

    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('refuses an option it does not know', async () => {
    const child = spawn(process.execPath, [ENTRY, '--nonsense'], { stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([1, null]);
  });
});

describe('a fixed output', () => {
  const start = useSandbox();

  it('answers n times one PNG of about the size asked for, whatever the inputs are', async () => {
    const { url, sandbox } = await start({ fixedOutput: { bytes: 300_000 } });
    const response = await post(url, [
      { name: 'prompt', value: 'a' },
      { name: 'n', value: '2' },
      { name: 'image', value: 'no image at all', filename: 'a.png', type: 'image/png' },
    ]);
    const { data } = (await response.json()) as { data: { b64_json: string }[] };
    expect(data).toHaveLength(2);
    const image = Buffer.from(data[0]?.b64_json ?? '', 'base64');
    expect(Math.abs(image.length - 300_000)).toBeLessThan(10_000);
    expect((await sharp(image).stats()).entropy).toBeGreaterThan(7.5);
    const [file] = sandbox.stats().lastRequests[0]?.files ?? [];
    expect(file).toMatchObject({ bytes: 15, sha256: null });
  });
});
