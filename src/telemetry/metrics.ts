import { INVALID_INPUT_CODES } from '../errors.ts';

/** The values that a label can have; null if they are open, such as the names of models. */
type Labels = Readonly<Record<string, readonly string[] | null>>;

interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: Labels;
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
}

/** Of an edit. An edit that was never sent has the upstream `none`. */
const OF_EDIT = { model: null, upstream: null } as const;

const TOKEN_KINDS = [
  'text_input',
  'image_input',
  'input',
  'cached_text_input',
  'cached_image_input',
  'cached_input',
  'text_output',
  'image_output',
  'output',
] as const;

/**
 * All metrics of the service; docs/metrics.md lists them, and prom-client's of Node beside them. Base
 * units: seconds, bytes, US dollars. No label has an id, a name of an owner or a text of a client,
 * but for names of models, of which there is a maximum.
 */
export const METRICS = {
  retouch_edits_total: {
    type: 'counter',
    help: 'Edits that reached a final status in this process. An edit whose response is reread reaches a second one.',
    labels: { status: ['SUCCEEDED', 'FAILED', 'CANCELED', 'OUTCOME_UNKNOWN'], ...OF_EDIT },
  },
  retouch_edit_duration_seconds: {
    type: 'histogram',
    help: 'Time from the last POST of an edit to its final status.',
    labels: { status: ['SUCCEEDED', 'FAILED', 'CANCELED', 'OUTCOME_UNKNOWN'], ...OF_EDIT },
    buckets: [1, 2.5, 5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600],
  },
  retouch_edit_wait_seconds: {
    type: 'histogram',
    help: 'Time from the submission of an edit to its last POST.',
    labels: {},
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
  },
  retouch_tokens_total: {
    type: 'counter',
    help: 'Tokens that upstreams reported, by kind; `input`, `cached_input` and `output` if it is unknown whether they are text or images.',
    labels: { kind: TOKEN_KINDS, ...OF_EDIT },
  },
  retouch_cost_usd_total: {
    type: 'counter',
    help: 'Cost of edits in US dollars when they ended, by kind of tokens; nominal for the sandbox. Later decisions and repricing are not in it.',
    labels: { kind: TOKEN_KINDS, ...OF_EDIT },
  },
  retouch_edits_unpriced_total: {
    type: 'counter',
    help: 'Successful edits whose cost is unknown, because their usage or its price is.',
    labels: OF_EDIT,
  },
  retouch_edits_open: {
    type: 'gauge',
    help: 'Edits that have not ended, by status.',
    labels: { status: ['QUEUED', 'RUNNING'] },
  },
  retouch_edits_oldest_queued_age_seconds: {
    type: 'gauge',
    help: 'Time since the submission of the oldest queued edit, also one that waits for a pause to end; 0 without one.',
    labels: {},
  },
  retouch_unknown_outcomes: {
    type: 'gauge',
    help: 'Edits with an unknown outcome and an unknown cost, for an admin to resolve.',
    labels: {},
  },
  retouch_queue_ready_jobs: {
    type: 'gauge',
    help: 'Queue jobs that a worker could take now.',
    labels: { queue: null },
  },
  retouch_queue_deferred_jobs: {
    type: 'gauge',
    help: 'Queue jobs that wait for their time, such as the next attempt of an edit.',
    labels: { queue: null },
  },
  retouch_queue_active_jobs: {
    type: 'gauge',
    help: 'Queue jobs that workers are running.',
    labels: { queue: null },
  },
  retouch_queue_oldest_ready_age_seconds: {
    type: 'gauge',
    help: 'How long the oldest ready queue job has been ready; 0 without one.',
    labels: { queue: null },
  },
  retouch_upstream_calls_total: {
    type: 'counter',
    help: 'Calls of upstreams that ended in this process: `OK`, or the code of the error. Several attempts of an edit count each.',
    labels: { upstream: null, result: null },
  },
  retouch_upstream_paused: {
    type: 'gauge',
    help: '1 while an upstream is paused for all processes.',
    labels: { upstream: null },
  },
  retouch_upstream_circuit_open: {
    type: 'gauge',
    help: '1 while the circuit of an upstream is open in this process. Only processes that run edits have circuits.',
    labels: { upstream: null },
  },
  retouch_webhook_attempts_total: {
    type: 'counter',
    help: 'Attempts to deliver a webhook: `delivered`, `retried` if it failed and is tried again, `failed` if it is given up, `skipped` if the webhook is disabled.',
    labels: { result: ['delivered', 'retried', 'failed', 'skipped'] },
  },
  retouch_webhook_deliveries_pending: {
    type: 'gauge',
    help: 'Deliveries of webhooks that wait for their first or next attempt.',
    labels: {},
  },
  retouch_uploads_total: {
    type: 'counter',
    help: 'Images that were received and accepted.',
    labels: {},
  },
  retouch_upload_bytes_total: {
    type: 'counter',
    help: 'Bytes of these images.',
    labels: {},
  },
  retouch_uploads_rejected_total: {
    type: 'counter',
    help: 'Uploaded files that were rejected, by the code of the problem.',
    labels: { code: Object.keys(INVALID_INPUT_CODES) },
  },
  retouch_rejections_total: {
    type: 'counter',
    help: 'Requests and edits that were rejected because they exceed a limit: that of a measure (docs/limits.md), of queued edits, or of concurrent uploads.',
    labels: {
      limit: [
        'COST',
        'TOKENS',
        'EDITS',
        'IMAGES',
        'CONCURRENT_EDITS',
        'REQUESTS',
        'QUEUED_EDITS',
        'CONCURRENT_UPLOADS',
      ],
    },
  },
  retouch_http_requests_total: {
    type: 'counter',
    help: 'HTTP requests, by route and class of status; `aborted` if the client left before the response.',
    labels: { route: null, status: ['1xx', '2xx', '3xx', '4xx', '5xx', 'aborted'] },
  },
  retouch_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the head of a request to the end of its response, including waits for edits and subscriptions.',
    labels: { route: null },
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  },
  retouch_graphql_errors_total: {
    type: 'counter',
    help: 'Errors in GraphQL responses, by code. Errors in result unions are not among them.',
    labels: { code: null },
  },
  retouch_database_up: {
    type: 'gauge',
    help: '1 if the metrics that come from the database could be read in time; without them, 0.',
    labels: {},
  },
  retouch_build_info: {
    type: 'gauge',
    help: 'Always 1, with the version and the role of this process.',
    labels: { version: null, role: ['all', 'api', 'worker'] },
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof METRICS;

type NameOf<Type extends MetricRow['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];

export type LabelsOf<Name extends MetricName> = {
  readonly [Label in keyof (typeof METRICS)[Name]['labels']]: (typeof METRICS)[Name]['labels'][Label] extends readonly (infer Value)[]
    ? Value
    : string;
};

/** Counts what happens in this process. Call after the transaction in which it happens. */
export interface Metrics {
  /** False: what needs work to be recorded need not be. */
  readonly isOn: boolean;
  /** @param by At least 0. @default 1 */
  increment<Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  observe<Name extends NameOf<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
  ): void;
}

/** Metrics are off. */
export const NO_METRICS: Metrics = { isOn: false, increment() {}, observe() {} };

/** What a gauge is now. */
export interface Sample {
  readonly name: NameOf<'gauge'>;
  /** LabelsOf the name. */
  readonly labels: object;
  readonly value: number;
}

export function sample<Name extends NameOf<'gauge'>>(
  name: Name,
  labels: LabelsOf<Name>,
  value: number,
): Sample {
  return { name, labels, value };
}

/** Its row, without the literal types. */
export function rowOf(name: MetricName): MetricRow {
  return METRICS[name];
}
