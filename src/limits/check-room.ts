import { LimitExceededError } from '../errors.ts';
import {
  type EditMeasure,
  formatAmount,
  type LimitMeasure,
  type LimitState,
} from './limit-state.ts';
import type { LimitWindow } from './limit-window.ts';

/** What an edit may use at most, by measure. Unknown or not limited: absent. */
export type EditAmounts = Readonly<Partial<Record<EditMeasure, bigint>>>;

/**
 * Checks an edit against every limit that applies to it.
 * @throws LimitExceededError for the limit that has no room for the edit until the latest time, since
 *   the edit has to wait for all of them.
 */
export function checkRoom(states: readonly LimitState[], amounts: EditAmounts, now: Date): void {
  const exceeded = states.filter(({ measure, amount, used }) => {
    const asked = measure === 'REQUESTS' ? undefined : amounts[measure];
    return asked !== undefined && used + asked > amount;
  });
  const resetMs = ({ resetsAt }: LimitState) => resetsAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const [last] = exceeded.toSorted((a, b) => resetMs(b) - resetMs(a));
  if (last !== undefined) throw limitExceeded(last, amounts, now);
}

/** @param amounts The edit's; of a request, none. */
export function limitExceeded(
  state: LimitState,
  amounts: EditAmounts,
  now: Date,
): LimitExceededError {
  const { id, measure, amount, used, remaining, resetsAt } = state;
  const left = remaining === 0n ? 'nothing' : quantity(measure, remaining);
  const retryAfterSeconds =
    resetsAt && Math.max(1, Math.ceil((resetsAt.getTime() - now.getTime()) / 1_000));
  return new LimitExceededError(
    `${asked(measure, amounts)} ${measure === 'IMAGES' ? 'exceed' : 'exceeds'} ${whose(state)}: ${number(measure, used)} of ${quantity(measure, amount)}${PER[state.window]} ${COUNTED[measure]}, so ${left} remains. ${advice(state)}`,
    { limitId: id, measure, limit: amount, used, remaining, resetsAt, retryAfterSeconds },
  );
}

function asked(measure: LimitMeasure, amounts: EditAmounts): string {
  switch (measure) {
    case 'COST':
      return `The edit's maximum cost of ${quantity(measure, amounts.COST ?? 0n)}`;
    case 'TOKENS':
      return `The edit's maximum of ${amounts.TOKENS ?? 0n} tokens`;
    case 'IMAGES':
      return `The edit's ${amounts.IMAGES ?? 1n} output images`;
    case 'EDITS':
    case 'CONCURRENT_EDITS':
      return 'The edit';
    case 'REQUESTS':
      return 'The request';
  }
}

function whose({ subject, metadataKey, metadataValue }: LimitState): string {
  switch (subject) {
    case 'OWNER':
      return 'your limit';
    case 'API_KEY':
      return 'the limit of your API key';
    case 'METADATA':
      return `the limit of metadata ${metadataKey}=${metadataValue}`;
  }
}

const PER = {
  MINUTE: ' per minute',
  HOUR: ' per hour',
  DAY: ' per day',
  MONTH: ' per month',
  TOTAL: '',
} as const satisfies Record<LimitWindow, string>;

const COUNTED = {
  COST: 'are used or reserved',
  TOKENS: 'are used or reserved',
  EDITS: 'are used',
  IMAGES: 'are used or reserved',
  CONCURRENT_EDITS: 'are queued or running',
  REQUESTS: 'are used',
} as const satisfies Record<LimitMeasure, string>;

const UNITS = {
  TOKENS: 'tokens',
  EDITS: 'edits',
  IMAGES: 'images',
  CONCURRENT_EDITS: 'edits',
  REQUESTS: 'requests',
} as const satisfies Record<Exclude<LimitMeasure, 'COST'>, string>;

function number(measure: LimitMeasure, amount: bigint): string {
  return `${measure === 'COST' ? '$' : ''}${formatAmount(measure, amount)}`;
}

function quantity(measure: LimitMeasure, amount: bigint): string {
  return number(measure, amount) + (measure === 'COST' ? '' : ` ${UNITS[measure]}`);
}

function advice({ measure, resetsAt }: LimitState): string {
  if (measure === 'CONCURRENT_EDITS') return 'Try again when one of them has ended.';
  if (resetsAt === null) return 'An admin can raise the limit.';
  if (measure === 'REQUESTS') return `Try again at ${resetsAt.toISOString()}.`;
  return `Try again after ${resetsAt.toISOString()}, or have an admin raise the limit.`;
}
