import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isMet } from '../../test/support/report.ts';
import type { Bench } from './benches.ts';
import type { Place, Results, Section } from './section.ts';

const MAX_TAIL = 10_000;

/** Runs a bench as a process of its own, with its output on ours, and returns its section. */
export async function runBench(
  { name, title, quick }: Bench,
  options: { isQuick: boolean; place: Place; scratchDir: string },
): Promise<Section> {
  const { isQuick, place, scratchDir } = options;
  await mkdir(scratchDir, { recursive: true });
  const jsonPath = join(scratchDir, `${name}.results.json`);
  await rm(jsonPath, { force: true });
  const startedAt = new Date();
  const path = join(import.meta.dirname, '..', `${name}.ts`);
  const args = ['--disable-warning=ExperimentalWarning', path, '--json', jsonPath];
  const child = spawn(process.execPath, [...args, ...(isQuick ? quick : [])], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let tail = '';
  child.stderr.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    tail = `${tail}${chunk}`.slice(-MAX_TAIL);
  });
  const [exitCode, signal] = await once(child, 'close');
  const results = await readResults(jsonPath);
  const hasFailed = results === null || (exitCode !== 0 && results.rows.every(isMet));
  const failure = hasFailed ? reasonOf(tail, signal ?? `exit code ${exitCode}`) : undefined;
  await rm(jsonPath, { force: true });
  return {
    name,
    title,
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1_000),
    isQuick,
    place,
    rows: [],
    ...results,
    ...(failure !== undefined && { failure }),
  };
}

async function readResults(path: string): Promise<Results | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text === null ? null : JSON.parse(text);
}

/** The message of the error that ended the bench, or else how it ended. */
export function reasonOf(stderr: string, ending: string): string {
  const messages = [...stderr.matchAll(/^\s*(?:Uncaught )?\w*Error(?: \[\w+\])?: (.+)$/gm)];
  const [, message] = messages.at(-1) ?? [];
  return message === undefined ? ending : `${message} (${ending})`;
}
