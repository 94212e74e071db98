import { expect, test } from 'vitest';
import type { Edit } from '../../src/graphiql/edits/edit.ts';
import { costWarning, waitingOf } from '../../src/graphiql/edits/waiting.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const LATER = '2026-03-01T12:00:40.000Z';
const edit = (changes: Partial<Edit>) =>
  ({
    status: 'QUEUED',
    nextAttemptAt: null,
    attempts: [],
    costUnresolved: false,
    ...changes,
  }) as Edit;
const upstream = { name: 'main', state: 'PAUSED', pausedUntil: LATER, reason: 'No credit.' };

test('an edit that was tried waits for the reason that its last attempt gives', () => {
  const attempts = [{ number: 1, errorCode: 'RATE_LIMITED', errorMessage: 'Slow down.' }];
  expect(waitingOf(edit({ attempts, nextAttemptAt: LATER }), [], NOW)).toEqual({
    reason: 'Attempt 1 failed (RATE_LIMITED): Slow down.',
    until: new Date(LATER),
  });
});

test('an edit waits for its upstreams only while all of them are paused', () => {
  expect(waitingOf(edit({}), [upstream], NOW)).toEqual({
    reason: 'No upstream is available. main: No credit.',
    until: new Date(LATER),
  });
  const ready = { ...upstream, name: 'other', state: 'READY', pausedUntil: null };
  expect(waitingOf(edit({}), [upstream, ready], NOW)).toEqual({
    reason: 'Waiting for other edits to finish.',
    until: null,
  });
});

test('an edit that runs or has ended does not wait', () => {
  expect(waitingOf(edit({ status: 'RUNNING' }), [upstream], NOW)).toBeNull();
  expect(waitingOf(edit({ status: 'FAILED', nextAttemptAt: LATER }), [], NOW)).toBeNull();
});

test('an edit whose cost is unknown carries a warning', () => {
  expect(costWarning(edit({ status: 'OUTCOME_UNKNOWN', costUnresolved: true }))).toContain(
    'billed again',
  );
  expect(costWarning(edit({ status: 'FAILED' }))).toBeNull();
});
