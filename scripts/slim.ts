/**
 * `npm run slim`, which the Dockerfile runs too: removes from production packages what the service
 * never loads, two thirds of their size. Most of it is one program in many builds: Prisma's query
 * compiler for every database, the tokenizer for every encoding, packages both for Node and for
 * bundlers.
 */
import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

interface Unused {
  /** Files and folders below the package's folder. */
  readonly remove: readonly string[];
  /** What stays of them. */
  readonly keep?: readonly string[];
}

/** Of any package: what only compilers and debuggers read. Licenses stay. */
const OF_ANY = ['**/*.map', '**/*.d.{ts,mts,cts}'];

/**
 * Of packages in these versions, which test/reliability/slim-install.test.ts has run without it.
 * With another version nothing is removed: its files may be others.
 */
export const UNUSED: Readonly<Record<string, Unused>> = {
  // src/database/generated/prisma/internal/class.ts imports what stays; scripts/generate.js has put
  // the WebAssembly beside it.
  '@prisma/client@7.10.0': {
    remove: ['runtime/*'],
    keep: ['runtime/client.{js,mjs}', 'runtime/query_compiler_fast_bg.postgresql.mjs'],
  },
  // src/models/text-tokens.ts uses one encoding.
  'gpt-tokenizer@4.0.0': {
    remove: ['cjs', 'data', 'src', 'esm/model', 'esm/bpeRanks/*'],
    keep: ['esm/bpeRanks/o200k_base.js'],
  },
  // The archives are extensions of Postgres, of which our migrations create none.
  '@electric-sql/pglite@0.5.16': { remove: ['dist/*.tar.gz', 'dist/**/*.cjs'] },
  'luxon@3.7.2': { remove: ['src', 'build/*'], keep: ['build/node'] },
  'zod@4.6.7': { remove: ['src', '**/*.cjs'] },
};

/** The same, of whole scopes: all their packages are built alike. `dist-cjs` is what Node loads. */
export const UNUSED_IN_SCOPES: Readonly<Record<string, Unused>> = {
  '@aws-sdk': { remove: ['*/dist-{es,types}'] },
  '@smithy': { remove: ['*/dist-{es,types}'] },
};

/** @returns The paths to remove, below `packages`, which is a folder node_modules. */
export function unusedPaths(packages: string): string[] {
  const ofNamed = Object.entries(UNUSED).flatMap(([name, unused]) => {
    const at = name.lastIndexOf('@');
    const dir = name.slice(0, at);
    return versionOf(join(packages, dir)) === name.slice(at + 1) ? find(packages, dir, unused) : [];
  });
  return [
    ...ofNamed,
    ...Object.entries(UNUSED_IN_SCOPES).flatMap(([dir, unused]) => find(packages, dir, unused)),
    ...find(packages, '', { remove: OF_ANY }),
  ];
}

function find(packages: string, dir: string, { remove, keep = [] }: Unused): string[] {
  const cwd = join(packages, dir);
  const kept = new Set(globSync(keep, { cwd }));
  return globSync(remove, { cwd })
    .filter((path) => !kept.has(path))
    .map((path) => join(dir, path));
}

/** @returns null if the package is not installed. */
export function versionOf(dir: string): string | null {
  try {
    return JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).version;
  } catch {
    return null;
  }
}

/** @throws Error if a development dependency is installed: it may need what would be removed. */
export function slim(root: string): void {
  const packages = join(root, 'node_modules');
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const inDevelopment = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/'));
  const found = inDevelopment.find((name) => versionOf(join(packages, name)) !== null);
  if (found !== undefined) {
    throw new Error(`${found} is installed: run \`npm prune --omit=dev\` first.`);
  }
  for (const path of unusedPaths(packages)) {
    rmSync(join(packages, path), { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    slim(join(import.meta.dirname, '..'));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
