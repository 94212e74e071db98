import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommandLine } from '../support/command-line.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';

const PAGE = join(import.meta.dirname, '../../docs/command-line.md');

/** The examples of a page, each as its arguments. */
async function examples(): Promise<string[][]> {
  const blocks = (await readFile(PAGE, 'utf8')).matchAll(/^```sh\n(.*?)^```$/gms);
  const lines = [...blocks].flatMap(([, block = '']) => block.trim().split('\n'));
  return lines.map((line) => {
    const [, command = ''] = /^npm run retouch -- (.+)$/.exec(line) ?? [];
    return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word = '']) => quoted ?? word);
  });
}

test.runIf(hasDatabase)('every example of docs/command-line.md works, in its order', async () => {
  const database = await createTestDatabase();
  const opened = await database.open();
  const job = { sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
  await opened.prisma.editJob.create({ data: { ...job, ownerId: 'local', status: 'SUCCEEDED' } });
  await opened.close();
  let prefix = '';
  const ran = new Set<string>();
  for (const args of await examples()) {
    const actual = args.map((arg) => arg.replace(/^rt_live_4Kq9$/, prefix));
    const { exitCode, stdout, stderr } = await runCommandLine(database.env, ...actual);
    expect({ args, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    if (/^rt_live_/.test(stdout)) prefix = stdout.slice(0, 12);
    ran.add(args.slice(0, 2).join(' '));
  }
  const rows = (await readFile(PAGE, 'utf8')).matchAll(/^\| (`(?:keys|owners) .*`) \|/gm);
  const listed = [...rows].flatMap(([, cell = '']) => cell.match(/(?<=`)(keys|owners) \w+/g) ?? []);
  expect(listed.toSorted()).toEqual([...ran].toSorted());
  const help = ['keys', 'owners'].map(async (group) => {
    const { stdout } = await runCommandLine({}, group, '--help');
    const [, names = ''] = /USAGE retouch \w+ (\S+)/.exec(stdout) ?? [];
    return names.split('|').map((name) => `${group} ${name}`);
  });
  expect((await Promise.all(help)).flat().toSorted()).toEqual(listed.toSorted());
  await database.drop();
});
