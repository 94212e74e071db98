import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
} from 'cockatiel';
import { includesModel } from '../models/model.ts';
import { EDIT_ERRORS, EditErrorCode } from './edit-error-codes.ts';
import type { EditsApi } from './edits-api.ts';
import { EditsApiError } from './edits-api-error.ts';
import type { UpstreamConfig } from './upstreams-file.ts';

/** This many consecutive calls without a response open the circuit … */
const MAX_CONSECUTIVE_FAILURES = 5;
/** … for this long, in milliseconds; then one trial call is allowed. */
const HALF_OPEN_AFTER_MS = 30_000;

/** State of an upstream for those who do not call it. */
export interface KnownUpstream extends Pick<UpstreamConfig, 'name' | 'models' | 'priority'> {
  /** False while its circuit is open: this process's last calls failed, or one is trying it. */
  isClosed(): boolean;
}

/** An upstream that edits can be sent to. */
export interface Upstream
  extends KnownUpstream,
    Pick<UpstreamConfig, 'concurrency' | 'safetyIdentifier'> {
  /** Whether its circuit has been open long enough for a trial call. */
  isTrialDue(): boolean;
  /**
   * Call right before a call: true while the circuit is closed, and once when a trial is due. If no
   * call follows, the next trial is due after the same time again.
   */
  admit(): boolean;
  /** Its EditsApi, which counts failures for the circuit. */
  readonly edit: EditsApi['edit'];
  readonly readSaved: EditsApi['readSaved'];
}

export interface Upstreams {
  readonly all: readonly Upstream[];
  /** The upstream of that name, or any if it is no longer configured. */
  named(name: string): Upstream;
  /**
   * The upstreams of a model, by priority. An upstream that serves a model also serves its dated
   * snapshots.
   */
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
  if (first === undefined) throw new Error('no upstream is configured');
  return {
    all,
    named: (name) => all.find((upstream) => upstream.name === name) ?? first,
    serving: (model) => all.filter(({ models }) => models === null || includesModel(models, model)),
  };
}

function createUpstream(config: UpstreamConfig, editsApi: EditsApi): Upstream {
  const circuit = circuitBreaker(handleWhen(isOutage), {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(MAX_CONSECUTIVE_FAILURES),
  });
  // It stays open until it is called, so callers that need a closed circuit must know when a trial
  // is due.
  let waitingSinceMs = 0;
  circuit.onBreak(() => {
    waitingSinceMs = Date.now();
  });
  const isClosed = () => circuit.state === CircuitState.Closed;
  const isTrialDue = () =>
    circuit.state === CircuitState.Open && Date.now() - waitingSinceMs >= HALF_OPEN_AFTER_MS;
  const { name, models, priority, concurrency, safetyIdentifier } = config;
  return {
    name,
    models,
    priority,
    concurrency,
    safetyIdentifier,
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
        // Opened between the choice and the call, or another call is the trial.
        throw new EditsApiError(
          EditErrorCode.UNREACHABLE,
          'not_processed',
          'The upstream has not responded for a while and is not called for a moment.',
        );
      }
    },
  };
}

/**
 * Whether an error indicates an outage rather than a problem of the request. A rejection is a
 * response.
 */
function isOutage(error: unknown): boolean {
  return error instanceof EditsApiError && EDIT_ERRORS[error.code].countsAsOutage;
}
