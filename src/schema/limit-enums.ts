import { LIMIT_MEASURES, type LimitMeasure } from '../limits/limit-state.ts';
import { LIMIT_WINDOWS, type LimitWindow } from '../limits/limit-window.ts';
import { builder } from './builder.ts';

const MEASURES = {
  COST: 'Cost of edits, in US dollars.',
  TOKENS: 'Tokens of edits, as the upstream reports them: input and output together.',
  EDITS:
    'Submitted edits, whatever becomes of them: an edit that fails or is canceled still counts.',
  IMAGES: 'Output images of edits.',
  CONCURRENT_EDITS: 'Edits that are queued or running. It has no window.',
  REQUESTS:
    'Requests over HTTP of any kind, and operations over WebSockets. The window is MINUTE. Only for an owner or an API key.',
} satisfies Record<LimitMeasure, string>;

export const LimitMeasureEnum = builder.enumType('LimitMeasure', {
  description: 'What a limit counts.',
  values: Object.fromEntries(
    LIMIT_MEASURES.map((measure) => [measure, { description: MEASURES[measure] }]),
  ) as Record<LimitMeasure, { description: string }>,
});

const WINDOWS = {
  MINUTE: 'A minute.',
  HOUR: 'An hour.',
  DAY: 'A day.',
  MONTH: 'A calendar month.',
  TOTAL: 'All time. The limit never resets.',
} satisfies Record<LimitWindow, string>;

export const LimitWindowEnum = builder.enumType('LimitWindow', {
  description:
    'The window over which a limit counts, in the time zone of the limit. An edit counts in the window in which it was submitted.',
  values: Object.fromEntries(
    LIMIT_WINDOWS.map((window) => [window, { description: WINDOWS[window] }]),
  ) as Record<LimitWindow, { description: string }>,
});
