import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startApp } from '../../src/app/app.ts';
import { explainStart, withoutCloseErrors } from '../../src/app/start-failure.ts';
import { loadConfig } from '../../src/config/config.ts';
import { StartError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { temporaryDirectory } from '../support/directory.ts';

const log = createLog({ level: 'silent' });

test.each([
  ['is a file', 'file'],
  ['would be below a file', 'file/below'],
  ['has a file in place of a directory of ours', 'taken'],
  ['is where no directory can be made', '/proc/retouch'],
])('a DATA_DIR that %s ends the start in one sentence', async (_, name) => {
  const dir = await temporaryDirectory();
  await writeFile(join(dir, 'file'), '');
  await mkdir(join(dir, 'taken'));
  await writeFile(join(dir, 'taken', 'answers'), '');
  const dataDir = name.startsWith('/') ? name : join(dir, name);
  const config = loadConfig({ DATA_DIR: dataDir });
  const error = await startApp({ config, log }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StartError);
  expect(error).toMatchObject({ isTemporary: false });
  const { message } = error as StartError;
  expect(message).toContain(`DATA_DIR ${JSON.stringify(dataDir)} cannot be used`);
  expect(message).not.toContain('\n');
});

const failure = (code: string, path: string) =>
  Object.assign(new Error(`${code}: failed`), { code, syscall: 'open', path });

test('a full disk may have room at the next start', () => {
  const config = loadConfig({ DATA_DIR: '/data' });
  expect(explainStart(failure('ENOSPC', '/data/staging/x'), config)).toMatchObject({
    isTemporary: true,
  });
});

test('what fails elsewhere is a defect, and stays as it is', () => {
  const config = loadConfig({ DATA_DIR: '/data' });
  for (const error of [failure('ENOENT', '/other/x'), new TypeError('no'), 'thrown']) {
    expect(explainStart(error, config)).toBe(error);
  }
});

test('a start that fails reports its own error, and logs the errors of closing what was open', async () => {
  const own = new Error('own');
  const [first, second] = [new Error('first'), new Error('second')];
  const closing: unknown[] = [];
  const error = await (async () => {
    await using opened = new AsyncDisposableStack();
    opened.defer(() => Promise.reject(second));
    opened.defer(() => Promise.reject(first));
    throw own;
  })().catch((thrown: unknown) => thrown);
  expect(withoutCloseErrors(error, (one) => closing.push(one))).toBe(own);
  expect(closing).toEqual([first, second]);
  expect(withoutCloseErrors(own, () => expect.unreachable())).toBe(own);
});
