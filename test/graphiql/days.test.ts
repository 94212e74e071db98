import { expect, test } from 'vitest';
import { everyDay, lastDays } from '../../src/graphiql/usage/days.ts';

test('the last days end with today, in UTC, whatever the time is', () => {
  for (const time of ['00:00:00.000', '23:59:59.999']) {
    expect(lastDays(3, new Date(`2026-03-01T${time}Z`))).toEqual({
      from: new Date('2026-02-27T00:00:00Z'),
      to: new Date('2026-03-02T00:00:00Z'),
    });
  }
});

test('days that the report leaves out had no edits', () => {
  const span = lastDays(3, new Date('2026-03-01T12:00:00Z'));
  const known = { day: '2026-02-28', edits: 2, totalTokens: 7, cost: '0.25' };
  expect(everyDay([known], span)).toEqual([
    { day: '2026-02-27', edits: 0, totalTokens: 0, cost: '0' },
    known,
    { day: '2026-03-01', edits: 0, totalTokens: 0, cost: '0' },
  ]);
});
