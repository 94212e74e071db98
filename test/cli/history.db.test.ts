import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openHistory } from '../support/back-up.ts';
import { runCommandLine, runOnTerminal } from '../support/command-line.ts';
import { hasDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { OWNER } from '../support/stored-edits.ts';

const LINES = /\r?\n/;

describe.runIf(hasDatabase)('export', () => {
  test('writes the history of an owner, beside whatever uses the database', async () => {
    const { run } = await openHistory();
    const { exitCode, stdout, stderr } = await run(
      'export',
      '--owner',
      OWNER,
      '--url',
      'https://x.test',
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'Exported 3 edits.\n' });
    const edits = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(edits).toHaveLength(3);
    expect(edits[1].prompt.text).toContain('\u2028 line, 狐 🦊');
    expect(edits.flatMap(({ inputImages }) => inputImages)[0].url).toMatch(
      /^https:\/\/x\.test\/images\//,
    );
    expect(await run('export')).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('writes CSV to a new file, of the edits that match', async () => {
    const { run } = await openHistory();
    const path = join(await temporaryDirectory(), 'edits.csv');
    const args = ['--owner', OWNER, '--format', 'csv', '--output', path];
    const filter = ['--filter', '{"metadata":{"nested":{"empty":null,"big":1e300}}}'];
    expect(await run('export', ...args, ...filter)).toMatchObject({ exitCode: 0, stdout: '' });
    const [head, ...rows] = (await readFile(path, 'utf8')).split(LINES);
    expect(head).toMatch(/^id,status,/);
    expect(rows[0]).toContain('SUCCEEDED');
    expect(await run('export', ...args)).toMatchObject({
      exitCode: 1,
      stderr: `${path} cannot be created (EEXIST).\n`,
    });
  });

  test('explains a wrong filter by its option', async () => {
    const { run } = await openHistory();
    const { exitCode, stderr } = await run('export', '--filter', '{"statuses":[]}');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('--filter is invalid');
  });
});

describe.runIf(hasDatabase)('progress', () => {
  test.each([
    [['reprice'], 'edits', 1],
    [['verify'], 'images', 2],
  ] as const)(
    'of %s is a bar on a terminal, also in a running service',
    async (args, what, total) => {
      const { env, prisma } = await openHistory();
      await prisma.editJob.updateMany({ data: { status: 'SUCCEEDED' } });
      await prisma.tokenUsage.updateMany({
        data: { inputTokens: 1, outputTokens: 9, totalTokens: 10 },
      });
      const { exitCode, stderr } = await runOnTerminal(env, ...args);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(stderr).toContain(
        `\r\u001b[K${what} [${'#'.repeat(30)}] 100 % (${total} of ${total})\n`,
      );
      expect((await runCommandLine(env, ...args)).stderr).toContain(
        `${what}: ${total} of ${total}\n`,
      );
    },
  );
});

describe.runIf(hasDatabase)('reprice', () => {
  test('counts the edits, and the audit records it', async () => {
    const { run, prisma } = await openHistory();
    const output = await run('reprice', '--from', '2020-01-01', '--model', 'm');
    expect(output).toMatchObject({ exitCode: 0, stdout: '' });
    expect(output.stderr).toMatch(/Repriced 0 of \d edits/);
    expect(await prisma.auditEvent.count({ where: { action: 'repriceJobs' } })).toBe(1);
  });

  test('rejects a time that is none', async () => {
    const { run } = await openHistory();
    expect(await run('reprice', '--to', 'soon')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('--to must be a date'),
    });
  });
});
