import { quantile, type Row } from '../../test/support/report.ts';
import type { Latencies } from './measure.ts';
import { OPERATIONS, type Operation } from './operations.ts';

/** Milliseconds, up to 1,000,000 edits and above. */
const MOST = { search: [50, 100], usage: [150, 250] } as const;
const MANY_EDITS = 1_000_000;
const MOST_GROWTH = 1.5;

/** Both sizes of a database, and the bars for the large one. */
export function compare(small: Latencies, large: Latencies, edits: number): Row[] {
  return OPERATIONS.map((operation) => {
    const few = small.get(operation.name) ?? [];
    const many = large.get(operation.name) ?? [];
    const bar = barOf(operation, edits, quantile(few, 0.95), quantile(many, 0.95));
    return {
      what: operation.name,
      floor: toText(few),
      service: toText(many),
      runs: { floor: few, service: many },
      ...(bar && { bar }),
    };
  });
}

export function figures(latencies: Latencies): Row[] {
  return OPERATIONS.map(({ name }) => {
    const times = latencies.get(name) ?? [];
    return { what: name, service: toText(times), runs: { service: times } };
  });
}

function barOf({ kind }: Operation, edits: number, small: number, large: number): Row['bar'] {
  if (kind === 'page') return { value: large / small, atMost: MOST_GROWTH, unit: 'x' };
  if (kind === 'search' || kind === 'usage') {
    return { value: large, atMost: MOST[kind][edits > MANY_EDITS ? 1 : 0], unit: 'ms' };
  }
  return undefined;
}

function toText(times: readonly number[]): string {
  const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
  return `${p50.toFixed(1)} / ${p95.toFixed(1)} ms`;
}
