import type { Counter, Histogram, Registry } from 'prom-client';
import { createLabelValues } from './label-values.ts';
import { METRICS, type MetricName, type Metrics, rowOf, type Sample } from './metrics.ts';

/** The metrics of this process in the text format of Prometheus. */
export interface Prometheus {
  readonly metrics: Metrics;
  readonly contentType: string;
  /** Counters, histograms and the metrics of Node, with these gauges. */
  render(samples: readonly Sample[]): Promise<string>;
  /** Forgets everything. */
  close(): void;
}

/** @param options.isKnown See createLabelValues. */
export async function openPrometheus(options: {
  isKnown: (label: string, value: string) => boolean;
}): Promise<Prometheus> {
  // Takes memory that a service without metrics has no use for.
  const prom = await import('prom-client');
  const registry = new prom.Registry();
  prom.collectDefaultMetrics({ register: registry });
  const labelValue = createLabelValues(options);
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  for (const name of Object.keys(METRICS) as MetricName[]) {
    const { type, help, labels, buckets = [] } = rowOf(name);
    const common = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    if (type === 'counter') counters.set(name, startAtZero(new prom.Counter(common), labels));
    if (type === 'histogram') {
      histograms.set(name, new prom.Histogram({ ...common, buckets: [...buckets] }));
    }
  }

  const bounded = (labels: object) =>
    Object.fromEntries(
      Object.entries<string>({ ...labels }).map(([label, value]) => [
        label,
        labelValue(label, value),
      ]),
    );

  function renderGauges(samples: readonly Sample[]): Promise<string> {
    // Its own each time: what has no sample now is absent.
    const gauges: Registry = new prom.Registry();
    for (const [name, ofName] of Map.groupBy(samples, (one) => one.name)) {
      const { help, labels } = rowOf(name);
      const gauge = new prom.Gauge({
        name,
        help,
        labelNames: Object.keys(labels),
        registers: [gauges],
      });
      for (const { labels, value } of ofName) gauge.set(bounded(labels), value);
    }
    return gauges.metrics();
  }

  return {
    contentType: registry.contentType,
    metrics: {
      isOn: true,
      increment(name, labels, by = 1) {
        counters.get(name)?.inc(bounded(labels), by);
      },
      observe(name, labels, value) {
        histograms.get(name)?.observe(bounded(labels), value);
      },
    },
    render: async (samples) => `${await registry.metrics()}\n${await renderGauges(samples)}\n`,
    close: () => registry.clear(),
  };
}

/** Counters whose values are known begin at 0, so that the first increment is seen as one. */
function startAtZero(counter: Counter, labels: ReturnType<typeof rowOf>['labels']): Counter {
  const [[label, values] = [], ...more] = Object.entries(labels);
  if (label === undefined || values == null || more.length > 0) return counter;
  for (const value of values) counter.inc({ [label]: value }, 0);
  return counter;
}
