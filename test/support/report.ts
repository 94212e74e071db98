/** One line of the result. A figure without a bar is there to be read. */
export interface Row {
  readonly what: string;
  readonly floor?: string;
  readonly service: string;
  readonly bar?: { readonly value: number; readonly unit: string } & (
    | { readonly atMost: number }
    | { readonly atLeast: number }
  );
}

const COLUMNS = ['', 'floor', 'service', 'measure', 'bar', ''] as const;

/** The result as a table. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [COLUMNS.slice(), ...rows.map(cellsOf)];
  const widths = COLUMNS.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const text = lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n`;
}

export function isMet({ bar }: Row): boolean {
  if (bar === undefined) return true;
  return 'atMost' in bar ? bar.value <= bar.atMost : bar.value >= bar.atLeast;
}

function cellsOf(row: Row): string[] {
  const { what, floor = '', service, bar } = row;
  if (!bar) return [what, floor, service, '', '', ''];
  const verdict = isMet(row) ? 'PASS' : 'FAIL';
  return [
    what,
    floor,
    service,
    `${bar.value.toFixed(bar.unit === 'x' ? 2 : 0)} ${bar.unit}`,
    'atMost' in bar ? `<= ${bar.atMost} ${bar.unit}` : `>= ${bar.atLeast} ${bar.unit}`,
    verdict,
  ];
}

/** The value below which this share of the others lies (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
