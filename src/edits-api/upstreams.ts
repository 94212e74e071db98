import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { snapshotOf } from '../models/model.ts';
import { EDIT_ERRORS, EditErrorCode } from './edit-error-codes.ts';
import type { EditsApi } from './edits-api.ts';
import { EditsApiError } from './edits-api-error.ts';
import type { UpstreamConfig } from './upstreams-file.ts';

/** So many calls in a row without an answer open the circuit … */
const MAX_CONSECUTIVE_FAILURES = 5;
/** … for so long, in milliseconds; then one call tries it. */
const HALF_OPEN_AFTER_MS = 30_000;

/** An edits API, for those who do not call it. */
export interface KnownUpstream extends Pick<UpstreamConfig, 'name' | 'models' | 'priority'> {
  /** False while its circuit is open: the last calls of this process brought nothing, or one tries it. */
  isClosed(): boolean;
}

/** One edits API that edits can be sent to. */
export interface Upstream extends KnownUpstream, Pick<UpstreamConfig, 'concurrency'> {
  /** Whether its circuit has been open for so long that one call may try it. */
  isTrialDue(): boolean;
  /**
   * Asked by whoever will call it next: true while the circuit is closed, and once when a trial is
   * due. Should the call not come, the next trial is due as long after this one.
   */
  admit(): boolean;
  /** As its EditsApi, and counts failures for the circuit. */
  readonly edit: EditsApi['edit'];
  readonly readSaved: EditsApi['readSaved'];
}

export interface Upstreams {
  readonly all: readonly Upstream[];
  /** The one of that name, or any when it is not configured any more. */
  named(name: string): Upstream;
  /** Those that serve a model, by priority. Who serves a model serves its dated snapshots, too. */
  serving(model: string): readonly Upstream[];
}

/** The order in which they are tried. */
export function byPriority(a: { priority: number }, b: { priority: number }): number {
  return a.priority - b.priority;
}

export function createUpstreams(
  configured: readonly { config: UpstreamConfig; editsApi: EditsApi }[],
): Upstreams {
  const all = configured
    .map(({ config, editsApi }) => createUpstream(config, editsApi))
    .sort(byPriority);
  const [first] = all;
  if (first === undefined) throw new Error('there is no edits API to send to');
  return {
    all,
    named: (name) => all.find((upstream) => upstream.name === name) ?? first,
    serving: (model) =>
      all.filter(
        ({ models }) =>
          models === null || models.includes(model) || models.includes(snapshotOf(model) ?? model),
      ),
  };
}

function createUpstream(config: UpstreamConfig, editsApi: EditsApi): Upstream {
  const circuit = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(MAX_CONSECUTIVE_FAILURES),
  });
  // It stays open until it is called, so who calls only while it is closed has to know the time.
  let waitingSinceMs = 0;
  circuit.onBreak(() => {
    waitingSinceMs = Date.now();
  });
  const isClosed = () => circuit.state === CircuitState.Closed;
  const isTrialDue = () =>
    circuit.state === CircuitState.Open && Date.now() - waitingSinceMs >= HALF_OPEN_AFTER_MS;
  const { name, models, priority, concurrency } = config;
  return {
    name,
    models,
    priority,
    concurrency,
    readSaved: editsApi.readSaved,
    isClosed,
    isTrialDue,
    admit() {
      if (isClosed()) return true;
      if (!isTrialDue()) return false;
      waitingSinceMs = Date.now();
      return true;
    },
    async edit(request, call) {
      try {
        return await circuit.execute(() => editsApi.edit(request, call));
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) throw error;
        // Opened between the choice and the call, or somebody else is trying it.
        throw new EditsApiError(
          EditErrorCode.UNREACHABLE,
          'not_processed',
          'The edits API has not answered for a while; it is left alone for a moment.',
        );
      }
    },
  };
}

/** Whether an error speaks of an outage and not of the one request. A rejection is a response. */
function isOutage(error: unknown): boolean {
  return error instanceof EditsApiError && EDIT_ERRORS[error.code].countsAsOutage;
}
