import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAnswerFiles } from '../../../src/edits/run/answer-files.ts';
import { filesIn, temporaryDirectory } from '../../support/directory.ts';

test('keeps what came of an answer, and nothing of one that never began', async () => {
  const dir = await temporaryDirectory();
  const answers = createAnswerFiles({ dir });
  await writeFile(answers.pathOf('begun'), '{');
  await writeFile(answers.pathOf('empty'), '');
  expect(await answers.hasBytes('begun')).toBe(true);
  expect(await answers.hasBytes('empty')).toBe(false);
  expect(await answers.hasBytes('none')).toBe(false);
  for (const id of ['begun', 'empty', 'none']) await answers.removeIfEmpty(id);
  expect(await filesIn(dir)).toEqual([answers.pathOf('begun')]);
});

test('sweeps old answers and leaves young ones', async () => {
  const dir = join(await temporaryDirectory(), 'not there yet');
  const answers = createAnswerFiles({ dir });
  expect(await answers.sweep(0)).toBe(0);
  await writeFile(answers.pathOf('old'), '{');
  await writeFile(answers.pathOf('young'), '{');
  const anHourAgo = new Date(Date.now() - 3_600_000);
  await utimes(answers.pathOf('old'), anHourAgo, anHourAgo);
  expect(await answers.sweep(60_000)).toBe(1);
  expect(await filesIn(dir)).toEqual([answers.pathOf('young')]);
});
