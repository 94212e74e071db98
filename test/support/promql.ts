import { parser } from '@prometheus-io/lezer-promql';

/** What a query names. */
export interface NamedInQuery {
  /** As in a scrape: with the suffixes of histograms. */
  readonly metrics: readonly string[];
  /** By metric: the labels of its selectors, and those that its aggregations keep. */
  readonly labels: readonly (readonly [metric: string, label: string])[];
}

/** Grafana replaces these before Prometheus parses a query. */
const VARIABLES = { $__rate_interval: '5m', $__range: '6h' };

/** @throws Error if it is not PromQL, by the parser of Prometheus's own editor. */
export function namedIn(query: string): NamedInQuery {
  const text = Object.entries(VARIABLES).reduce(
    (result, [name, value]) => result.replaceAll(name, value),
    query,
  );
  const tree = parser.parse(text);
  const metrics: string[] = [];
  const labels: [string, string][] = [];
  /** Aggregations around the current place, with the labels that they group by. */
  const open: { to: number; labels: string[] }[] = [];
  let metric = '';
  tree.iterate({
    enter({ type, name, from, to, node }) {
      const found = text.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at ${from}: ${query}`);
      while ((open.at(-1)?.to ?? Number.POSITIVE_INFINITY) <= from) open.pop();
      if (name === 'AggregateExpr') open.push({ to, labels: groupingOf(node, text) });
      if (name === 'VectorSelector') {
        const identifier = node.getChild('Identifier');
        if (identifier === null) throw new Error(`a selector without a name: ${query}`);
        metric = text.slice(identifier.from, identifier.to);
        metrics.push(metric);
        for (const label of open.flatMap((one) => one.labels)) labels.push([metric, label]);
      }
      if (name === 'LabelName' && node.parent?.name.includes('Matcher')) {
        labels.push([metric, found]);
      }
    },
  });
  return { metrics, labels };
}

type Node = ReturnType<typeof parser.parse>['topNode'];

function groupingOf(node: Node, text: string): string[] {
  const grouping = node.getChild('AggregateModifier')?.getChild('GroupingLabels');
  return (grouping?.getChildren('LabelName') ?? []).map(({ from, to }) => text.slice(from, to));
}
