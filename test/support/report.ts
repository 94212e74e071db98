/** One line of the result. A figure without a bar is there to be read. */
export interface Row {
  readonly what: string;
  readonly floor?: string;
  readonly service: string;
  /** What each run gave, in the units of `floor` and `service`. */
  readonly runs?: { readonly floor?: readonly number[]; readonly service?: readonly number[] };
  readonly bar?: { readonly value: number; readonly unit: string } & (
    | { readonly atMost: number }
    | { readonly atLeast: number }
  );
}

const COLUMNS = ['', 'floor', 'service', 'measure', 'bar', ''] as const;

/** The result as a table. */
export function tableOf(rows: readonly Row[]): string {
  return alignedText([COLUMNS, ...rows.map(cellsOf)]);
}

/** Lines of cells as columns: the first is a text, the others are figures. */
export function alignedText(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
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

/** What a row shows: its name, floor and service, then the measure, the bar and the verdict. */
export function cellsOf(row: Row): [string, string, string, string, string, string] {
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
