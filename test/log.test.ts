import { expect, test } from 'vitest';
import { StorageError } from '../src/errors.ts';
import { createLog, lazyChild } from '../src/log.ts';

/** A log and the lines it wrote. */
function recordedLog(level = 'info') {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, lines };
}

test('writes a line of JSON with time, level and message, and the ids of its child', () => {
  const { log, lines } = recordedLog();
  log.child({ requestId: 'r1' }).warn({ jobId: 'j1' }, 'edit failed');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/\n$/);
  const { time, ...entry } = JSON.parse(lines[0] ?? '');
  expect(entry).toEqual({ level: 'warn', requestId: 'r1', jobId: 'j1', msg: 'edit failed' });
  expect(new Date(time).toISOString()).toBe(time);
});

test('writes the same by a child that is made when it is first used', () => {
  const { log, lines } = recordedLog();
  const lazy = lazyChild(log, { requestId: 'r1', token: 'secret' });
  log.child = () => {
    throw new Error('was made too early');
  };
  expect(lazy).toBeDefined();
  Reflect.deleteProperty(log, 'child');
  lazy.warn({ jobId: 'j1' }, 'edit failed');
  lazy.child({ part: 'queue' }).info('again');
  const entries = lines.map((line) => JSON.parse(line));
  const bindings = { requestId: 'r1', token: '[redacted]' };
  expect(entries).toMatchObject([
    { ...bindings, jobId: 'j1', msg: 'edit failed' },
    { ...bindings, part: 'queue', msg: 'again' },
  ]);
});

test('writes nothing below its level, and nothing at all when silent', () => {
  const info = recordedLog('info');
  info.log.debug('hidden');
  expect(info.lines).toEqual([]);
  const silent = recordedLog('silent');
  silent.log.fatal('hidden');
  expect(silent.lines).toEqual([]);
});

test('hides secrets by their names, down to three levels, and shows what stands beside them', () => {
  const { log, lines } = recordedLog('trace');
  const secret = 'sk-canary';
  for (const name of ['authorization', 'cookie', 'key', 'apiKey', 'password', 'secret', 'token']) {
    log.info({ [name]: secret, visible: 'yes' });
    log.info({ config: { [name]: secret, visible: 'yes' } });
    log.info({ config: { editsApi: { [name]: secret, visible: 'yes' } } });
    log.child({ [name]: secret, visible: 'yes' }).info('child');
  }
  expect(lines).toHaveLength(28);
  for (const line of lines) {
    expect(line).not.toContain(secret);
    expect(line).toContain('[redacted]');
    expect(line).toContain('"visible":"yes"');
  }
});

test('writes errors with their stack and cause', () => {
  const { log, lines } = recordedLog();
  log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
  const { err } = JSON.parse(lines[0] ?? '');
  expect(err.message).toContain('outer');
  expect(err.stack).toContain('inner');
});

test('shows a deliberate error by its code, without a stack, and its system cause likewise', () => {
  const { log, lines } = recordedLog();
  const cause = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  log.warn({ err: new StorageError('The disk is full.', { cause }) }, 'upload failed');
  const { err } = JSON.parse(lines[0] ?? '');
  expect(err).toMatchObject({
    type: 'StorageError',
    message: 'The disk is full.',
    cause: { code: 'ENOSPC', message: 'no space left' },
  });
  expect(lines[0]).not.toContain('log.test.ts');
});

test('shows a defect with its stack, also as the cause of a deliberate error', () => {
  const { log, lines } = recordedLog();
  log.error({ err: new TypeError('x is undefined') }, 'request failed');
  log.error({ err: new StorageError('Not stored.', { cause: new TypeError('y') }) }, 'failed');
  for (const line of lines) expect(line).toContain('log.test.ts');
});
