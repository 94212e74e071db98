/** One line of the result. A figure without a bar is there to be read. */
export interface Row {
  readonly what: string;
  readonly floor?: string;
  readonly service: string;
  readonly bar?: { readonly value: number; readonly atMost: number; readonly unit: string };
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
  return bar === undefined || bar.value <= bar.atMost;
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
    `<= ${bar.atMost} ${bar.unit}`,
    verdict,
  ];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
