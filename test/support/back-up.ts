import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { serveCommands } from '../../src/admin/socket/serve-commands.ts';
import { type Database, Prisma } from '../../src/database/database.ts';
import { createLog } from '../../src/log.ts';
import { runCommandLine } from './command-line.ts';
import { createTestDatabase } from './database.ts';
import { temporaryDirectory } from './directory.ts';
import { insertHistory } from './history-of-owner.ts';
import { openStoredEdits } from './stored-edits.ts';
import { createTestCommands } from './test-commands.ts';

const log = createLog({ level: 'silent' });

/** Rows of running processes are not in a backup. */
const LEFT_OUT = ['Process'];

/** A history with values that are hard to write as text, in a database that is in use. */
export async function openHistory() {
  const parts = await openStoredEdits();
  await insertHistory(parts);
  await insertHardValues(parts.prisma);
  if (parts.database.kind === 'pglite') {
    const server = await serveCommands({ ...parts, commands: createTestCommands(parts), log });
    onTestFinished(() => server.close());
  }
  return {
    ...parts,
    /** A command of an operator, beside whatever uses the database. */
    run: (...args: string[]) => runCommandLine(parts.env, ...args),
  };
}

async function insertHardValues(prisma: Database['prisma']): Promise<void> {
  const text = 'a "quote", {brace}, \\slash, \u2028 line, 狐 🦊,\ttab,\r\nnull';
  const { id } = await prisma.editJob.findFirstOrThrow({ where: { retryOfId: { not: null } } });
  await prisma.editJob.update({
    where: { id },
    data: { metadata: { text, nested: { empty: null, big: 1e300 } }, costMicroUsd: 2n ** 62n },
  });
  await prisma.prompt.updateMany({ data: { text } });
  await prisma.tokenUsage.updateMany({ data: { raw: Prisma.JsonNull } });
  await prisma.image.updateMany({ data: { thumbHash: Buffer.from([0, 1, 39, 92, 255]) } });
  await prisma.apiKey.updateMany({ data: { allowedModels: [text, '', 'NULL'], lineage: [id] } });
  await prisma.raisedBound.create({
    data: { model: 'm', basis: 'b', kind: 'output', factor: 0.1 + 0.2 },
  });
}

/** A database without tables, and a directory, for a restore. */
export async function createTarget() {
  const target = await createTestDatabase({ isMigrated: false });
  onTestFinished(() => target.drop());
  return {
    ...target,
    run: (...args: string[]) => runCommandLine(target.env, ...args),
    async dump() {
      const database = await target.open();
      try {
        return await dumpOwnTables(database);
      } finally {
        await database.close();
      }
    },
  };
}

/** A directory without files, and the settings of an embedded database in it. */
export async function createEmbeddedTarget() {
  const dir = join(await temporaryDirectory(), 'data');
  return { dir, run: (...args: string[]) => runCommandLine({ DATA_DIR: dir }, ...args) };
}

/** Every row of every table that a backup has, as JSON, by table. */
export async function dumpOwnTables({ prisma }: Pick<Database, 'prisma'>) {
  const dump: Record<string, string[]> = {};
  for (const table of Object.values(Prisma.ModelName)) {
    if (LEFT_OUT.includes(table)) continue;
    const rows = await prisma.$queryRawUnsafe<{ row: string }[]>(
      `SELECT to_jsonb("each")::text AS row FROM "${table}" AS "each" ORDER BY 1`,
    );
    dump[table] = rows.map(({ row }) => row);
  }
  return dump;
}

/** Writes a backup of a history to a new directory. */
export async function backUp(run: (...args: string[]) => ReturnType<typeof runCommandLine>) {
  const dir = join(await temporaryDirectory(), 'backup');
  const output = await run('backup', dir);
  return { dir, output };
}

/** Changes the manifest of a backup. */
export async function changeManifest(
  dir: string,
  change: (manifest: ReturnType<typeof JSON.parse>) => void,
): Promise<void> {
  const path = join(dir, 'manifest.json');
  const manifest = JSON.parse(await readFile(path, 'utf8'));
  change(manifest);
  await writeFile(path, JSON.stringify(manifest));
}
