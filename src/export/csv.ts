/** CSV by RFC 4180: commas, CRLF, quotes doubled, every cell as text; pure. */

/** What a spreadsheet would take for a formula, or for the guard before one. */
const FORMULA = /^'*[=+\-@\t\r\n]/;
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * One record, with its line end. A cell that a spreadsheet would run as a formula gets an apostrophe
 * before it, and one that begins like that already another: who strips one has the text again.
 */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
