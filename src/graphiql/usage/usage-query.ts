import type { UsageDay } from './days.ts';

export const USAGE_QUERY = `query UsageByDay($from: DateTime!, $to: DateTime!) {
  usage(from: $from, to: $to, groupBy: [DAY]) {
    buckets { day: date totals { edits totalTokens cost } }
  }
}`;

export interface UsageAnswer {
  readonly usage: {
    readonly buckets: readonly {
      readonly day: string;
      readonly totals: Omit<UsageDay, 'day'>;
    }[];
  };
}
