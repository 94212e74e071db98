import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { slim, UNUSED, unusedPaths } from '../../scripts/slim.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { productionPackages } from '../support/production-install.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGES = join(ROOT, 'node_modules');

/** A root with these files, of which each package.json has version 1.0.0. */
async function rootWith(devDependencies: object, ...paths: string[]): Promise<string> {
  const root = await temporaryDirectory();
  await writeFile(join(root, 'package.json'), JSON.stringify({ devDependencies }));
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), JSON.stringify({ version: '1.0.0' }));
  }
  return root;
}

const filesOf = (root: string) =>
  globSync('node_modules/**/*.*', { cwd: root }).filter((path) => !/node_modules$/.test(path));

test('a production install has at most 160 packages', async () => {
  expect((await productionPackages()).length).toBeLessThanOrEqual(160);
});

test('what is removed was checked with the versions that are locked', async () => {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
  for (const name of Object.keys(UNUSED)) {
    const at = name.lastIndexOf('@');
    const locked = packages[`node_modules/${name.slice(0, at)}`].version;
    expect(`${name.slice(0, at)}@${locked}`).toBe(name);
  }
});

test('each pattern still matches something in its package', () => {
  for (const [name, { remove, keep = [] }] of Object.entries(UNUSED)) {
    const cwd = join(PACKAGES, name.slice(0, name.lastIndexOf('@')));
    for (const pattern of [...remove, ...keep]) {
      expect(globSync(pattern, { cwd }), `${name}: ${pattern}`).not.toEqual([]);
    }
  }
});

test('the generated database client imports only what stays of Prisma', async () => {
  const client = await readFile(
    join(ROOT, 'src/database/generated/prisma/internal/class.ts'),
    'utf8',
  );
  const imported = client.matchAll(/import\("(@prisma\/client\/runtime\/[^"]+)"\)/g);
  const names = [...imported].map(([, name]) => name);
  expect(names).toHaveLength(1);
  const removed = unusedPaths(PACKAGES);
  for (const name of names) expect(removed).not.toContain(name);
});

test('packages of another version keep their files, but for source maps and types', async () => {
  const root = await rootWith(
    {},
    'node_modules/zod/package.json',
    'node_modules/zod/src/index.js',
    'node_modules/zod/index.js.map',
    'node_modules/zod/index.d.ts',
    'node_modules/zod/LICENSE.md',
  );
  slim(root);
  expect(filesOf(root).toSorted()).toEqual([
    'node_modules/zod/LICENSE.md',
    'node_modules/zod/package.json',
    'node_modules/zod/src/index.js',
  ]);
});

test('nothing is removed where a development dependency is installed', async () => {
  const root = await rootWith(
    { vitest: '1.0.0' },
    'node_modules/vitest/package.json',
    'node_modules/zod/index.d.ts',
  );
  expect(() => slim(root)).toThrow('run `npm prune --omit=dev` first');
  expect(filesOf(root)).toContain('node_modules/zod/index.d.ts');
});

test('no license is removed', () => {
  expect(unusedPaths(PACKAGES).filter((path) => /licen[cs]e|notice/i.test(path))).toEqual([]);
});
