import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LOCAL_VIEWER } from '../../src/auth/viewer.ts';
import { assertAdmin, viewerOf } from '../../src/auth/visible.ts';
import { ForbiddenError } from '../../src/errors.ts';
import { findUnruled, modelsOf, ownedTables } from './owned-statements.ts';

const root = join(import.meta.dirname, '../..');
const schema = await readFile(join(root, 'prisma/schema.prisma'), 'utf8');
const tables = ownedTables(schema, [...(await read('prisma/migrations/*/*.sql')).values()].join());

async function read(pattern: string): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for await (const path of glob(pattern, { cwd: root })) {
    sources.set(path, await readFile(join(root, path), 'utf8'));
  }
  return sources;
}

async function readSources(): Promise<Map<string, string>> {
  const sources = await read('src/**/*.ts');
  const others = /^src\/(graphiql|database\/generated)\//;
  return new Map([...sources].filter(([path]) => !others.test(path)));
}

describe('each statement on an owned table', () => {
  test('uses the rule for visible rows, or says that it is of all owners', async () => {
    expect(findUnruled(await readSources(), tables)).toEqual([]);
  });

  const statements = (body: string) =>
    findUnruled(
      new Map([
        ['src/auth/visible.ts', 'export const visibleTo = (viewer) => viewer;'],
        ['src/edits/in-history.ts', IN_HISTORY],
        [
          'src/edits/a.ts',
          `import { ofAllOwners, visibleRows, visibleTo } from '../auth/visible.ts';
          import { inHistory } from './in-history.ts';
          async function read(prisma, viewer, id) { ${body} }`,
        ],
      ]),
      tables,
    );
  const IN_HISTORY = `import { visibleTo } from '../auth/visible.ts';
    export const inHistory = (viewer) => ({ ...visibleTo(viewer), deletedAt: null });`;

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are sources.
  test.each([
    'prisma.editJob.findMany({ where: { id } })',
    'prisma.charge.updateMany({ where: { id }, data: {} })',
    'const where = { id }; prisma.image.findFirst({ where })',
    'const where = { ownerId: viewer.ownerId }; prisma.image.findFirst({ where })',
    'prisma.$queryRaw`SELECT 1 FROM "Prompt" WHERE id = ${id}`',
    'prisma.$queryRaw<unknown[]>`DELETE FROM "TokenUsage"`',
    'prisma.$queryRaw`SELECT "promptsWith"(${id}, NULL)`',
    'prisma.$queryRawUnsafe(\'SELECT 1 FROM "Prompt"\')',
    'builder.prismaNode("Image", { findUnique: (id) => ({ id }) })',
    // A name that stands for a statement is not the rule.
    'const mine = prisma.image.count({ where: visibleTo(viewer) }); prisma.image.count(mine)',
  ])('is found without it: %s', (body) => {
    expect(statements(body)).toHaveLength(1);
  });

  test.each([
    'prisma.editJob.findMany({ where: { id, ...visibleTo(viewer) } })',
    'prisma.editJob.findMany({ where: { id, ...inHistory(viewer) } })',
    'const where = { id, ...visibleTo(viewer) }; prisma.image.findFirst({ where })',
    'ofAllOwners(prisma).editJob.findMany({ where: { id } })',
    'ofAllOwners(prisma).$queryRaw<unknown[]>`DELETE FROM "TokenUsage"`',
    'prisma.$queryRaw`SELECT 1 FROM "Prompt" WHERE ${visibleRows(viewer, "Prompt")}`',
    'prisma.editJob.createMany({ data: [] })',
    'prisma.$executeRaw`INSERT INTO "Prompt" (id) VALUES (${id})`',
    'prisma.upstreamPause.findMany()',
  ])('is not found with it: %s', (body) => {
    expect(statements(body)).toEqual([]);
  });
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are sources.
});

test('only src/auth and src/admin/access read who a viewer is', async () => {
  const sources = [...(await readSources())].filter(
    ([path]) => !/^src\/(auth|admin\/access)\//.test(path),
  );
  const readers = sources.filter(([, text]) => /\bviewer\.(ownerId|isAdmin)\b/.test(text));
  expect(readers.map(([path]) => path)).toEqual([]);
});

test('each table that links to one with an owner has an owner itself', () => {
  const models = modelsOf(schema);
  const owned = new Set(models.flatMap(({ name, hasOwner }) => (hasOwner ? [name] : [])));
  expect(owned.size).toBeGreaterThan(10);
  const ownerless = models.filter(
    ({ hasOwner, links }) => !hasOwner && links.some((name) => owned.has(name)),
  );
  expect(ownerless).toEqual([]);
});

test('what is for admins is refused to everybody else', () => {
  expect(() => assertAdmin(viewerOf('somebody'), 'setLimit')).toThrow(
    new ForbiddenError('setLimit is for admins only.'),
  );
  expect(() => assertAdmin(LOCAL_VIEWER, 'setLimit')).not.toThrow();
});
