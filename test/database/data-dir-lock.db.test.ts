import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockDataDir } from '../../src/database/data-dir-lock.ts';
import { ConfigError } from '../../src/errors.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { startNode } from '../support/node-process.ts';

const LOCK_MODULE = new URL('../../src/database/data-dir-lock.ts', import.meta.url).href;

/** Another process that locks `dir`, says so, and stays until it is killed. */
function holder(dir: string) {
  const script = `
    import { lockDataDir } from ${JSON.stringify(LOCK_MODULE)};
    globalThis.lock = lockDataDir(${JSON.stringify(dir)});
    process.stdout.write('locked');
    setInterval(() => {}, 60_000);
  `;
  return startNode(['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]);
}

test('refuses a directory that another process holds, and names that one', async () => {
  const dir = await temporaryDirectory();
  const first = holder(dir);
  await first.untilStdout(/locked/);

  const attempt = () => lockDataDir(dir);
  expect(attempt).toThrow(ConfigError);
  expect(attempt).toThrow(`process ${first.pid} on `);
  expect(attempt).toThrow(/set DATABASE_URL/);
  const second = holder(dir);
  expect(await second.ended).toMatchObject({ exitCode: 1 });
  expect(second.output.stderr).toContain(`process ${first.pid} on `);
  expect(second.output.stdout).toBe('');
});

test('takes over at once what a killed process held', async () => {
  const dir = await temporaryDirectory();
  const first = holder(dir);
  await first.untilStdout(/locked/);
  first.kill('SIGKILL');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });

  const lock = lockDataDir(dir);
  const { pid } = JSON.parse(await readFile(join(dir, 'retouch.holder.json'), 'utf8'));
  expect(pid).toBe(process.pid);
  lock.release();
});

test('is free after its release, which may be repeated', async () => {
  const dir = await temporaryDirectory();
  const lock = lockDataDir(dir);
  expect(() => lockDataDir(dir)).toThrow(`process ${process.pid} on `);
  lock.release();
  lock.release();
  lockDataDir(dir).release();
});

test('makes the directory, and does not mind a holder’s note that says nothing', async () => {
  const dir = join(await temporaryDirectory(), 'new/data');
  const lock = lockDataDir(dir);
  await writeFile(join(dir, 'retouch.holder.json'), '{');
  expect(() => lockDataDir(dir)).toThrow('another process that is starting');
  lock.release();
});
