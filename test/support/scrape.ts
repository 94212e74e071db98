/** What Prometheus reads from a process. */
export interface Scrape {
  readonly text: string;
  /** With the suffixes of histograms; those without a series are not among them. */
  readonly names: ReadonlySet<string>;
  /** The names of all labels that its series have. */
  labelsOf(name: string): ReadonlySet<string>;
  /** The sum of its series that have these labels; null if there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | null;
}

interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export async function scrape(url: string | null): Promise<Scrape> {
  const response = await fetch(url ?? 'metrics are off');
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  const series = text.split('\n').flatMap(parseLine);
  return {
    text,
    names: new Set(series.map(({ name }) => name)),
    labelsOf: (name) =>
      new Set(series.flatMap((one) => (one.name === name ? Object.keys(one.labels) : []))),
    value(name, labels = {}) {
      const found = series.filter(
        (one) =>
          one.name === name &&
          Object.entries(labels).every(([label, value]) => one.labels[label] === value),
      );
      return found.length === 0 ? null : found.reduce((sum, one) => sum + one.value, 0);
    },
  };
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
function parseLine(line: string): Series[] {
  if (line === '' || line.startsWith('#')) return [];
  const [, name, inner = '', value] = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
  if (name === undefined) throw new Error(`not a line of a scrape: ${line}`);
  const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
  return [
    {
      name,
      labels: Object.fromEntries(labels.map(([, label, text]) => [label, text])),
      value: Number(value === '+Inf' ? 'Infinity' : value),
    },
  ];
}
