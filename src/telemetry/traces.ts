import type { Context, Span } from '@opentelemetry/api';
import { ATTRIBUTE } from './gen-ai-names.ts';

export type SpanAttributes = Readonly<Record<string, string | number | undefined>>;

export interface SpanOptions {
  /** @default INTERNAL */
  readonly kind?: 'SERVER' | 'CLIENT' | 'CONSUMER';
  readonly attributes?: SpanAttributes;
  /** The span in another process that caused this one. @default the current span */
  readonly parent?: TraceParent | undefined;
}

/** Headers of a request, or a stored `traceparent` (W3C Trace Context). Null: there is none. */
export type TraceParent = Readonly<Record<string, string | string[] | undefined>> | string | null;

export interface ActiveSpan {
  readonly hasFailed: boolean;
  set(attributes: SpanAttributes): void;
  /** @param errorType A code or the name of a class, never a message: it may quote an upstream. */
  fail(errorType: string): void;
}

/** Spans, for an OpenTelemetry SDK that was loaded before this service (`--import`). */
export interface Traces {
  readonly isOn: boolean;
  /** Resolves or rejects as `work`. A rejection fails the span. */
  span<Result>(
    name: string,
    options: SpanOptions,
    work: (span: ActiveSpan) => Promise<Result>,
  ): Promise<Result>;
  /** A span that is over. */
  record(name: string, options: SpanOptions & { start: Date; end: Date }): void;
  /** Of the current span, to store; null if there is none that is recorded. */
  traceparent(): string | null;
  /** `traceparent` and `tracestate` of the current span, for a request to a service of others. */
  headers(): Readonly<Record<string, string>>;
  /** Attributes of the current span. */
  annotate(attributes: SpanAttributes): void;
  /** Sends what is recorded, within 5 s. */
  flush(): Promise<void>;
}

const NO_SPAN: ActiveSpan = { hasFailed: false, set: () => {}, fail: () => {} };

/** Without an SDK. */
export const NO_TRACES: Traces = {
  isOn: false,
  span: (_name, _options, work) => work(NO_SPAN),
  record: () => {},
  traceparent: () => null,
  headers: () => ({}),
  annotate: () => {},
  flush: async () => {},
};

const FLUSH_TIMEOUT_MS = 5_000;
const NAME = 'retouch';

/** Where `@opentelemetry/api` 1.x keeps what an SDK registered, for all copies of it. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');

/** Loads the API only if an SDK has registered itself: otherwise traces cost nothing. */
export async function openTraces(): Promise<Traces> {
  if (!(REGISTERED in globalThis)) return NO_TRACES;
  return createTraces(await import('@opentelemetry/api'));
}

function createTraces(api: typeof import('@opentelemetry/api')): Traces {
  const { context, propagation, trace } = api;
  const tracer = trace.getTracer(NAME);

  function contextOf(parent: TraceParent | undefined): Context {
    if (parent === undefined) return context.active();
    if (parent === null) return api.ROOT_CONTEXT;
    if (typeof parent !== 'string') return propagation.extract(api.ROOT_CONTEXT, parent);
    const [, traceId = '', spanId = '', flags = '0'] = parent.split('-');
    const traceFlags = Number.parseInt(flags, 16);
    const remote = { traceId, spanId, traceFlags, isRemote: true };
    return trace.setSpanContext(api.ROOT_CONTEXT, remote);
  }

  function start(name: string, options: SpanOptions, startTime?: Date): [Span, Context] {
    const { kind = 'INTERNAL', attributes = {}, parent } = options;
    const from = contextOf(parent);
    const span = tracer.startSpan(
      name,
      { kind: api.SpanKind[kind], attributes: { ...attributes }, ...(startTime && { startTime }) },
      from,
    );
    return [span, trace.setSpan(from, span)];
  }

  return {
    isOn: true,
    async span(name, options, work) {
      const [span, within] = start(name, options);
      const active = activeSpan(api, span);
      try {
        return await context.with(within, () => work(active));
      } catch (error) {
        if (!active.hasFailed) active.fail(error instanceof Error ? error.name : 'unknown');
        throw error;
      } finally {
        span.end();
      }
    },
    record(name, { start: from, end, ...options }) {
      const [span] = start(name, options, from);
      span.end(end);
    },
    traceparent() {
      const current = trace.getActiveSpan()?.spanContext();
      if (current === undefined || (current.traceFlags & api.TraceFlags.SAMPLED) === 0) return null;
      const flags = current.traceFlags.toString(16).padStart(2, '0');
      return `00-${current.traceId}-${current.spanId}-${flags}`;
    },
    headers() {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      // Baggage may contain anything.
      const { traceparent, tracestate } = carrier;
      return { ...(traceparent && { traceparent }), ...(tracestate && { tracestate }) };
    },
    annotate: (attributes) => void trace.getActiveSpan()?.setAttributes(attributes),
    async flush() {
      const provider: unknown = trace.getTracerProvider();
      const sdk = hasDelegate(provider) ? provider.getDelegate() : provider;
      if (!canFlush(sdk)) return;
      const timeout = Promise.withResolvers<void>();
      const timer = setTimeout(timeout.resolve, FLUSH_TIMEOUT_MS);
      await Promise.race([sdk.forceFlush().catch(() => undefined), timeout.promise]);
      clearTimeout(timer);
    },
  };
}

function activeSpan(api: typeof import('@opentelemetry/api'), span: Span): ActiveSpan {
  let hasFailed = false;
  return {
    get hasFailed() {
      return hasFailed;
    },
    set: (attributes) => void span.setAttributes(attributes),
    fail(errorType) {
      hasFailed = true;
      span.setAttribute(ATTRIBUTE.errorType, errorType);
      span.setStatus({ code: api.SpanStatusCode.ERROR });
    },
  };
}

function hasDelegate(provider: unknown): provider is { getDelegate(): unknown } {
  return typeof provider === 'object' && provider !== null && 'getDelegate' in provider;
}

function canFlush(provider: unknown): provider is { forceFlush(): Promise<void> } {
  return typeof provider === 'object' && provider !== null && 'forceFlush' in provider;
}
