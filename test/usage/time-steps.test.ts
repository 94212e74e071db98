import { describe, expect, test } from 'vitest';
import { type TimeUnit, timeSteps } from '../../src/usage/time-steps.ts';

const HOUR_MS = 3_600_000;

/** The steps as their dates and lengths in hours. */
function cut(unit: TimeUnit, timeZone: string, from: string, to: string): [string, number][] {
  const steps = timeSteps({ unit, timeZone, from: new Date(from), to: new Date(to) });
  return steps.map((step) => [step.date, (step.to.getTime() - step.from.getTime()) / HOUR_MS]);
}

describe('a span is cut', () => {
  test('into days of 23 and 25 hours where the clocks are set', () => {
    expect(cut('DAY', 'Europe/Berlin', '2026-03-27T23:00Z', '2026-03-30T22:00Z')).toEqual([
      ['2026-03-28', 24],
      ['2026-03-29', 23],
      ['2026-03-30', 24],
    ]);
    expect(cut('DAY', 'America/New_York', '2026-10-31T04:00Z', '2026-11-02T05:00Z')).toEqual([
      ['2026-10-31', 24],
      ['2026-11-01', 25],
    ]);
  });

  test('into days that start at 01:00, and at the first of two midnights', () => {
    expect(cut('DAY', 'America/Havana', '2026-03-07T05:00Z', '2026-03-09T04:00Z')).toEqual([
      ['2026-03-07', 24],
      ['2026-03-08', 23],
    ]);
    expect(cut('DAY', 'America/Havana', '2026-10-31T04:00Z', '2026-11-02T05:00Z')).toEqual([
      ['2026-10-31', 24],
      ['2026-11-01', 25],
    ]);
  });

  test('into two hours where one occurs twice, and into none where one is left out', () => {
    expect(cut('HOUR', 'Europe/Berlin', '2026-10-25T00:00Z', '2026-10-25T02:00Z')).toEqual([
      ['2026-10-25T02:00+02:00', 1],
      ['2026-10-25T02:00+01:00', 1],
    ]);
    expect(cut('HOUR', 'Europe/Berlin', '2026-03-29T00:00Z', '2026-03-29T02:00Z')).toEqual([
      ['2026-03-29T01:00+01:00', 1],
      ['2026-03-29T03:00+02:00', 1],
    ]);
  });

  test('into halves of an hour where the clocks are set by half an hour', () => {
    expect(cut('HOUR', 'Australia/Lord_Howe', '2026-04-04T14:00Z', '2026-04-04T16:30Z')).toEqual([
      ['2026-04-05T01:00+11:00', 1],
      ['2026-04-05T01:00+10:30', 0.5],
      ['2026-04-05T02:00+10:30', 1],
    ]);
  });

  test('into months of local time, the first and the last as short as the span has them', () => {
    expect(cut('MONTH', 'Asia/Kolkata', '2026-01-31T18:00Z', '2026-02-28T19:00Z')).toEqual([
      ['2026-01', 0.5],
      ['2026-02', 28 * 24],
      ['2026-03', 0.5],
    ]);
    expect(cut('MONTH', 'Pacific/Honolulu', '1999-12-01T10:00Z', '2000-02-01T10:00Z')).toEqual([
      ['1999-12', 31 * 24],
      ['2000-01', 31 * 24],
    ]);
  });

  test('by an offset as well as by a name, and into nothing where there is nothing', () => {
    expect(cut('DAY', '-05:30', '2026-01-01T05:30Z', '2026-01-02T05:30Z')).toEqual([
      ['2026-01-01', 24],
    ]);
    expect(cut('HOUR', 'UTC', '2026-01-01T00:00Z', '2026-01-01T00:00Z')).toEqual([]);
  });

  test('without a day that a zone has skipped', () => {
    expect(cut('DAY', 'Pacific/Apia', '2011-12-29T10:00Z', '2011-12-31T10:00Z')).toEqual([
      ['2011-12-29', 24],
      ['2011-12-31', 24],
    ]);
  });
});
