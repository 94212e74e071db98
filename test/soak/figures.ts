import { expect, inject } from 'vitest';
import { isMet, type Row, tableOf } from '../support/report.ts';

/** Prints what was measured, and fails the test when a bar was missed. */
export function report(title: string, rows: readonly Row[]): void {
  process.stdout.write(`\n${title}, on ${inject('databaseKind')}:\n${tableOf(rows)}\n`);
  expect(rows.filter((row) => !isMet(row)).map(({ what }) => what)).toEqual([]);
}

const BYTES_PER_MB = 1_000_000;

export const toMb = (bytes: number) => bytes / BYTES_PER_MB;
export const showMb = (bytes: number) => `${toMb(bytes).toFixed(0)} MB`;
