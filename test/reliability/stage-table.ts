import { expect } from 'vitest';
import type { Rig } from '../support/service-processes.ts';

/** Collects what came of each stage and prints it: stage, paid POSTs, final state, orphans, ledger. */
export interface StageTable {
  /**
   * Holds what must hold at every stage: `paid` POSTs in all for these jobs, never two for one, no
   * file left over, and a history whose tokens are what the edits API answered to what succeeded, which
   * alone has a cost.
   */
  add(
    rig: Rig,
    stage: string,
    ids: readonly string[],
    expected: { paid: number } | { paidAtMost: number },
  ): Promise<void>;
  print(): void;
}

export function createStageTable(database: string): StageTable {
  const rows: string[][] = [];
  return {
    async add(rig, stage, ids, expected) {
      const jobs = await Promise.all(ids.map((id) => rig.final(id)));
      const calls = await Promise.all(jobs.map(({ prompt }) => rig.callsFor(prompt.text)));
      const paid = calls.map((ofJob) => ofJob.filter((call) => call.paid).length);
      const sum = paid.reduce((a, b) => a + b, 0);
      const orphans = await rig.orphans();
      const ledger = jobs.map(({ status, usage }, index) => {
        const answered = calls[index]?.find((call) => call.paid)?.usage;
        return [usage?.totalTokens, status === 'SUCCEEDED' ? answered?.total_tokens : undefined];
      });
      const isEqual = ledger.every(([kept, answered]) => kept === answered);
      rows.push([
        stage,
        `${sum} for ${jobs.length}`,
        countBy(jobs.map(({ status }) => status)),
        String(orphans),
        isEqual ? 'yes' : 'NO',
      ]);
      expect(Math.max(0, ...paid)).toBeLessThanOrEqual(1);
      if ('paid' in expected) expect(sum).toBe(expected.paid);
      else expect(sum).toBeLessThanOrEqual(expected.paidAtMost);
      expect(orphans).toBe(0);
      expect(ledger.map(([kept]) => kept)).toEqual(ledger.map(([, answered]) => answered));
      expect(jobs.map(({ cost }) => cost !== null)).toEqual(
        jobs.map(({ status }) => status === 'SUCCEEDED'),
      );
    },
    print() {
      if (rows.length === 0) return;
      const head = ['stage', 'paid POSTs', 'final state', 'orphans', 'ledger equal'];
      const text = [head, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
      process.stdout.write(`\nKilled with SIGKILL, on ${database}:\n${text}\n`);
    },
  };
}

function countBy(states: readonly string[]): string {
  const counts = Map.groupBy(states, (state) => state);
  return [...counts].map(([state, { length }]) => `${length} ${state}`).join(', ') || 'no job';
}
