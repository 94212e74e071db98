import { readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const ROOT = new URL('../..', import.meta.url).pathname;

/** A file without a time is new: it is assumed to take a second for each kilobyte. */
const BYTES_PER_SECOND = 1_000;

const seconds: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(new URL('../timings.json', import.meta.url), 'utf8'),
);

/**
 * Runs the slowest files first, by test/timings.json, so that no worker ends long after the others.
 * One project after the other: a worker that files share serves one project only.
 */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byProject = [...Map.groupBy(files, ({ project }) => project.name).values()];
    return byProject
      .map((own) => own.sort((a, b) => secondsOf(b) - secondsOf(a)))
      .sort((a, b) => total(b) - total(a))
      .flat();
  }
}

const total = (files: readonly TestSpecification[]) =>
  files.reduce((sum, file) => sum + secondsOf(file), 0);

function secondsOf({ moduleId }: TestSpecification): number {
  return seconds[relative(ROOT, moduleId)] ?? statSync(moduleId).size / BYTES_PER_SECOND;
}
