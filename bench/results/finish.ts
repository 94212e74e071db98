import { writeFile } from 'node:fs/promises';
import { alignedText, isMet, tableOf } from '../../test/support/report.ts';
import type { Results } from './section.ts';

/** For `parseArgs`, in every bench: the file that gets the results. */
export const JSON_OPTION = { json: { type: 'string' } } as const;

/**
 * Ends a bench: prints its tables and notes, writes the results to the file named by `--json`, and
 * sets the exit code: 1 if a bar was missed.
 */
export async function finish(results: Results, jsonPath: string | undefined): Promise<void> {
  const { rows, tables = [], notes = [] } = results;
  if (rows.length > 0) process.stdout.write(`\n${tableOf(rows)}`);
  for (const { title, columns, lines } of tables) {
    process.stdout.write(`\n${title}\n${alignedText([columns, ...lines])}`);
  }
  for (const note of notes) process.stdout.write(`\n${note}\n`);
  if (jsonPath !== undefined) await writeFile(jsonPath, `${JSON.stringify(results, null, 2)}\n`);
  process.exitCode = rows.every(isMet) ? 0 : 1;
}
