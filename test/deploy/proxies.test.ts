import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { ROOT } from '../support/overlays.ts';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const MEBIBYTE = 1024 ** 2;
/** An edit has 16 images and a mask. */
const IMAGES = 17;

/** Directives of the first block `location /`, in order. */
function forwarding(config: string): readonly string[] {
  const [, block = ''] = /^\s*location \/ \{\n([\s\S]*?)^\s*\}/m.exec(config) ?? [];
  return block
    .trim()
    .split('\n')
    .map((line) => line.trim());
}

test('deploy/nginx/retouch.conf forwards by the lines of docs/proxies.md, and removes the user', async () => {
  const documented = forwarding(await read('docs/proxies.md'));
  expect(documented.length).toBeGreaterThan(8);
  const shipped = forwarding(await read('deploy/nginx/retouch.conf'));
  const user = 'proxy_set_header X-Forwarded-User $retouch_user;';
  expect(shipped).toContain(user);
  expect(shipped.filter((line) => line !== user)).toEqual(documented);
});

test('both servers forward the largest edit', async () => {
  const least = IMAGES * Number(SETTINGS.MAX_IMAGE_BYTES.default);
  const [, nginx] =
    /client_max_body_size (\d+)m;/.exec(await read('deploy/nginx/retouch.conf')) ?? [];
  expect(Number(nginx) * MEBIBYTE).toBeGreaterThan(least);
  const [, caddy] = /max_size (\d+)MiB/.exec(await read('deploy/caddy/Caddyfile')) ?? [];
  expect(Number(caddy) * MEBIBYTE).toBeGreaterThan(least);
});
