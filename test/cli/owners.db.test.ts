import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCommandLine } from '../support/command-line.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const run = (...args: string[]) => runCommandLine(database.env, ...args);

describe.runIf(hasDatabase)('owners', () => {
  test('are listed with their edits, also those that have edits and no row', async () => {
    const opened = await database.open();
    const job = { sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
    await opened.prisma.owner.createMany({ data: { id: 'alice', name: 'Alice' } });
    await opened.prisma.editJob.createMany({
      data: [
        { ...job, ownerId: 'local' },
        { ...job, ownerId: 'local' },
        { ...job, ownerId: 'alice' },
        { ...job, ownerId: 'alice', deletedAt: new Date() },
      ],
    });
    await opened.close();
    const { stdout } = await run('owners', 'list');
    const [heading, ...rows] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^OWNER +NAME +EDITS +DISABLED +FIRST REQUEST$/);
    expect(rows).toEqual([
      expect.stringMatching(/^local +- +2 +- +-$/),
      expect.stringMatching(/^alice +Alice +1 +- +\S+Z$/),
    ]);
  });

  test('are disabled and enabled, and the audit records both', async () => {
    await run('keys', 'create', '--owner', 'alice', '--scope', 'read');
    const disabledAt = async () => {
      const opened = await database.open();
      const rows = await opened.prisma.owner.findMany();
      const audited = await opened.prisma.auditEvent.count({ where: { action: 'updateOwner' } });
      await opened.close();
      return [rows[0]?.disabledAt ?? null, audited];
    };
    expect((await run('owners', 'disable', 'alice')).exitCode).toBe(0);
    expect(await disabledAt()).toEqual([expect.any(Date), 1]);
    expect((await run('owners', 'enable', 'alice')).exitCode).toBe(0);
    expect(await disabledAt()).toEqual([null, 2]);
  });

  test('that do not exist are neither disabled nor created', async () => {
    expect(await run('owners', 'disable', 'nobody')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'The owner "nobody" does not exist.\n',
    });
  });
});
