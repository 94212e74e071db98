import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { prettyLine } from '../../src/telemetry/pretty-log.ts';

const pretty = (entry: object) =>
  stripVTControlCharacters(
    prettyLine(`${JSON.stringify({ time: '2026-01-02T03:04:05Z', ...entry })}\n`),
  );

test('shows the time, the level, the message and the rest as name=value', () => {
  const line = pretty({
    level: 'warn',
    msg: 'edit failed',
    model: 'gpt-image-2',
    tries: 3,
    why: 'a b',
  });
  expect(line).toMatch(/^\d\d:04:05 WARN {2}edit failed model=gpt-image-2 tries=3 why="a b"\n$/);
});

test('shows the code of an error in the line and a stack below', () => {
  const err = { type: 'TypeError', message: 'x', stack: 'TypeError: x\n    at y' };
  expect(pretty({ level: 'error', msg: 'failed', err })).toMatch(
    /failed type=TypeError message=x\nTypeError: x\n {4}at y\n$/,
  );
});

test('passes no control characters of a message or a value to the terminal', () => {
  const line = prettyLine(
    JSON.stringify({ time: 'x', level: 'info', msg: 'a\u001b[2Jb\nc', path: '\u001b]0;t\u0007' }),
  );
  expect(line).not.toContain('\u001b[2J');
  expect(line).not.toContain('\u001b]0');
  expect(line.trimEnd().split('\n')).toHaveLength(1);
});

test('leaves a line that is not JSON as it is', () => {
  expect(prettyLine('plain\n')).toBe('plain\n');
});
