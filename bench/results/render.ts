import { cellsOf, isMet, type Row } from '../../test/support/report.ts';
import type { Place, Section } from './section.ts';

/** A load above this share of the cores is other work that takes time from what is measured. */
const BUSY_LOAD_PER_CORE = 0.5;
const ROW_COLUMNS = ['what', 'floor', 'service', 'measure', 'bar', 'verdict'];

/**
 * RESULTS.md. Its head has the place of the newest section; a section from another place names its
 * own. `all` are the names of all benches, in their order; `explanations` are written by hand, by the
 * name of the bench, and end its section.
 */
export function renderResults(
  sections: readonly Section[],
  all: readonly string[],
  explanations: Readonly<Record<string, string>> = {},
): string {
  const inOrder = all.flatMap((name) => sections.filter((section) => section.name === name));
  const newest = inOrder.toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))[0];
  if (newest === undefined) throw new Error('there are no results');
  const missing = all.filter((name) => !sections.some((section) => section.name === name));
  return `${[
    '# Results of the benchmarks',
    'Written by `npm run bench`. Each figure is the median of the runs unless it says otherwise, with the least and the most in brackets. A measure is the figure itself, or the ratio of service to floor in one run of the bench.',
    tableText(['', ''], [...placeLines(newest.place), ['date', dayOf(newest)]]),
    ...warningsOf(newest.place),
    ...(missing.length === 0 ? [] : [`Not run yet: ${missing.join(', ')}.`]),
    '## Misses',
    missesText(inOrder),
    ...inOrder.flatMap((section) => {
      const explanation = explanations[section.name];
      return [...sectionText(section, newest), ...(explanation ? [explanation.trim()] : [])];
    }),
  ].join('\n\n')}\n`;
}

function placeLines({ machine, versions, load, cores }: Place): string[][] {
  return [
    ['machine', machine],
    ['versions', versions],
    ['load at the start', `${load.toFixed(2)} on ${cores} cores`],
  ];
}

function isBusy({ load, cores }: Place): boolean {
  return load > cores * BUSY_LOAD_PER_CORE;
}

function warningsOf(place: Place): string[] {
  if (!isBusy(place)) return [];
  return ['**The machine was busy with other work: times and ratios are not reliable.**'];
}

function missesText(sections: readonly Section[]): string {
  const lines = sections.flatMap(({ name, rows, failure }) => [
    ...(failure === undefined ? [] : [[name, `did not finish: ${failure}`, '', '']]),
    ...namedRows(rows)
      .filter((row) => !isMet(row))
      .map((row) => [name, cellsOf(row)[0], cellsOf(row)[3], cellsOf(row)[4]]),
  ]);
  if (lines.length === 0) return 'None: every threshold is met.';
  return tableText(['bench', 'what', 'measure', 'bar'], lines);
}

/** An indented row continues the one above it, which the list of misses does not show. */
function namedRows(rows: readonly Row[]): Row[] {
  let parent = '';
  return rows.map((row) => {
    if (!row.what.startsWith(' ')) {
      parent = row.what;
      return row;
    }
    return { ...row, what: `${parent}: ${row.what.trim()}` };
  });
}

function sectionText(section: Section, newest: Section): string[] {
  const { name, title, rows, tables = [], notes = [], failure, place } = section;
  const isElsewhere =
    place.machine !== newest.place.machine ||
    place.versions !== newest.place.versions ||
    isBusy(place) !== isBusy(newest.place);
  return [
    `## ${title}`,
    `\`npm run bench:${name}\`, ${dayOf(section)}, ${durationText(section.seconds)}.${section.isQuick ? ' **Quick: fewer runs than by default.**' : ''}`,
    ...(isElsewhere ? [tableText(['', ''], placeLines(place)), ...warningsOf(place)] : []),
    ...(failure === undefined ? [] : [`**Did not finish: ${failure}**`]),
    ...(rows.length === 0 ? [] : [tableText(ROW_COLUMNS, rows.map(lineOf))]),
    ...tables.map((table) => `${table.title}\n\n${tableText(table.columns, table.lines)}`),
    ...notes,
  ];
}

function lineOf(row: Row): string[] {
  const [what, floor, service, measure, bar, verdict] = cellsOf(row);
  const indented = what.startsWith(' ') ? `… ${what.trim()}` : what;
  return [
    indented,
    withSpread(floor, row.runs?.floor),
    withSpread(service, row.runs?.service),
    measure,
    bar,
    verdict === 'FAIL' ? '**FAIL**' : verdict,
  ];
}

/** A figure with the least and the most of its runs. */
export function withSpread(text: string, runs: readonly number[] = []): string {
  if (text === '' || runs.length < 2) return text;
  return `${text} (${shortNumber(Math.min(...runs))}..${shortNumber(Math.max(...runs))})`;
}

/** Three digits or more: 0.25, 1.95, 42.5, 1450. */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

function dayOf({ startedAt }: Section): string {
  return `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
}

function durationText(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} minutes`;
}

function tableText(columns: readonly string[], lines: readonly (readonly string[])[]): string {
  const text = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim()).join(' | ')} |`;
  return [text(columns), text(columns.map(() => '---')), ...lines.map(text)].join('\n');
}
