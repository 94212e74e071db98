import { access, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { startNode } from '../support/node-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** A script of package.json, with no variable but these. */
async function start(script: string, env: Record<string, string>, ...more: string[]) {
  const { scripts } = await import(join(ROOT, 'package.json'), { with: { type: 'json' } }).then(
    ({ default: file }) => file,
  );
  const [node, ...args] = String(scripts[script]).split(' ');
  expect(node).toBe('node');
  return startNode([...args, ...more], { cwd: ROOT, env });
}

async function command(env: Record<string, string>, ...args: string[]) {
  const child = await start('retouch', env, ...args);
  const { exitCode } = await child.ended;
  return { exitCode, ...child.output };
}

async function startService(env: Record<string, string>) {
  const service = await start('start', { PORT: '0', ...env });
  const [, url = ''] = await service.untilStdout(/"url":"(http:\/\/127\.0\.0\.1:\d+)".*"ready"/);
  return { ...service, url };
}

async function statusWith(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  await response.arrayBuffer();
  return response.status;
}

describe.runIf(inject('databaseKind') === 'pglite')('the socket of a running service', () => {
  test('creates a key that is valid at once, and ends it within seconds', async () => {
    const env = { DATA_DIR: await temporaryDirectory(), AUTH_API_KEYS: 'true' };
    const service = await startService(env);
    expect(service.output.stdout).toContain('no API key yet');
    expect((await stat(join(env.DATA_DIR, 'admin.sock'))).mode & 0o777).toBe(0o600);
    const created = await command(env, 'keys', 'create', '--owner', 'alice', '--scope', 'admin');
    expect(created.exitCode, created.stderr).toBe(0);
    const key = created.stdout.trim();
    expect(await statusWith(service.url, key)).toBe(200);
    const revoked = await command(env, 'keys', 'revoke', key.slice(0, 12));
    expect(revoked.exitCode, revoked.stderr).toBe(0);
    await expect.poll(() => statusWith(service.url, key), { timeout: 5_000 }).toBe(401);

    service.kill('SIGTERM');
    expect(await service.ended).toEqual({ exitCode: 0, signal: null });
    await expect(access(join(env.DATA_DIR, 'admin.sock'))).rejects.toThrow('ENOENT');
    const listed = await command(env, 'keys', 'list');
    expect(listed.stdout).toContain('alice');
  });

  test('does not outlive a kill: commands open the database, and the next start replaces it', async () => {
    const env = { DATA_DIR: await temporaryDirectory(), AUTH_API_KEYS: 'true' };
    const killed = await startService(env);
    killed.kill('SIGKILL');
    await killed.ended;
    await access(join(env.DATA_DIR, 'admin.sock'));
    // As if it had been killed while it opened the socket, too.
    await writeFile(join(env.DATA_DIR, 'admin.sock.new'), '');
    const direct = await command(env, 'keys', 'create', '--owner', 'alice', '--scope', 'read');
    expect(direct.exitCode, direct.stderr).toBe(0);

    const next = await startService(env);
    const listed = await command(env, 'keys', 'list');
    expect(listed.exitCode, listed.stderr).toBe(0);
    expect(listed.stdout).toContain('alice');
    next.kill('SIGTERM');
    expect(await next.ended).toEqual({ exitCode: 0, signal: null });
  });
});
