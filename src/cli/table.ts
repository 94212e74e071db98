/** Rows in columns, with a heading; `-` for an empty cell. */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly (string | null)[])[],
): string {
  const lines = [headings, ...rows.map((row) => row.map((cell) => printable(cell || '-')))];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => [...(line[column] ?? '')].length)),
  );
  return lines
    .map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - [...text].length));
}

/** Control characters in a name must not reach the terminal. */
const printable = (text: string) => text.replaceAll(/\p{Cc}/gu, '�');
