import type { Metrics } from '../../telemetry/metrics.ts';
import type { Ledger } from '../../usage/ledger.ts';
import type { UsedKind } from '../../usage/pricing.ts';
import type { CommittedEnd } from './end-edit.ts';

/** Counts an edit that has ended: its status, times, tokens and cost. */
export function createCountEnd(options: {
  metrics: Metrics;
  ledger: Pick<Ledger, 'priceKinds'>;
}): (end: CommittedEnd) => void {
  const { metrics, ledger } = options;

  return ({ from, status, job, results }) => {
    if (!metrics.isOn) return;
    const ofEdit = { model: job.model, upstream: job.upstream ?? 'none' };
    metrics.increment('retouch_edits_total', { status, ...ofEdit });
    // A response is reread long after its edit has run.
    if (from === 'RUNNING' && job.startedAt !== null) {
      const waitMs = job.startedAt.getTime() - job.createdAt.getTime();
      metrics.observe('retouch_edit_wait_seconds', {}, waitMs / 1_000);
      const seconds = (job.durationMs ?? 0) / 1_000;
      metrics.observe('retouch_edit_duration_seconds', { status, ...ofEdit }, seconds);
    }
    if (results === null) return;
    if (results.cost === null) metrics.increment('retouch_edits_unpriced_total', ofEdit);
    if (results.usage === null) return;
    for (const one of ledger.priceKinds(job.model, results.usage, results.sentAt)) {
      const labels = { kind: KINDS[one.kind], ...ofEdit };
      metrics.increment('retouch_tokens_total', labels, one.tokens);
      if (results.cost !== null && one.usd !== null)
        metrics.increment('retouch_cost_usd_total', labels, one.usd);
    }
  };
}

const KINDS = {
  textInput: 'text_input',
  imageInput: 'image_input',
  input: 'input',
  cachedTextInput: 'cached_text_input',
  cachedImageInput: 'cached_image_input',
  cachedInput: 'cached_input',
  textOutput: 'text_output',
  imageOutput: 'image_output',
  output: 'output',
} as const satisfies Record<UsedKind, string>;
