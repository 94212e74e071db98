import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BENCHES } from './benches.ts';
import { renderResults } from './render.ts';
import type { Section } from './section.ts';

const BENCH_DIR = join(import.meta.dirname, '..');
/** Has the sections of earlier runs, so that a run of some benches replaces only theirs. */
export const SECTIONS_DIR = join(BENCH_DIR, '../build/bench');

const NAMES = BENCHES.map(({ name }) => name);

/** Stores a section, and writes RESULTS.md from it and the sections of all other benches. */
export async function storeSection(section: Section): Promise<void> {
  await mkdir(SECTIONS_DIR, { recursive: true });
  await writeWhole(
    join(SECTIONS_DIR, `${section.name}.json`),
    `${JSON.stringify(section, null, 2)}\n`,
  );
  const sections: Section[] = [];
  const explanations: Record<string, string> = {};
  for (const name of NAMES) {
    const stored = await readIfThere(join(SECTIONS_DIR, `${name}.json`));
    if (stored !== null) sections.push(JSON.parse(stored));
    const explanation = await readIfThere(join(BENCH_DIR, 'explanations', `${name}.md`));
    if (explanation !== null) explanations[name] = explanation;
  }
  const text = renderResults(sections, NAMES, explanations);
  await writeWhole(join(BENCH_DIR, 'RESULTS.md'), text);
}

/** So that no reader finds half a file. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
