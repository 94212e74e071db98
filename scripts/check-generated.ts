/**
 * Fails when src/database/generated is not what `npm run generate` makes of prisma/schema.prisma. It is made
 * once more in a temporary directory and compared.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');

async function read(dir: string): Promise<Map<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      paths.map(async (path) => [relative(dir, path), await readFile(path, 'utf8')] as const),
    ),
  );
}

const temporary = await mkdtemp(join(tmpdir(), 'retouch-generated-'));
try {
  // The schema's output paths are relative to itself.
  const schema = join(temporary, 'prisma/schema.prisma');
  await cp(join(root, 'prisma/schema.prisma'), schema);
  await promisify(execFile)('prisma', ['generate', '--schema', schema], { cwd: root });
  const expected = await read(join(temporary, 'src/database/generated'));
  const found = await read(join(root, 'src/database/generated'));
  const stale = [...new Set([...expected.keys(), ...found.keys()])].filter(
    (file) => expected.get(file) !== found.get(file),
  );
  if (stale.length > 0) {
    process.stderr.write(
      `src/database/generated is stale (${stale.join(', ')}): run \`npm run generate\`.\n`,
    );
    process.exitCode = 1;
  }
} finally {
  await rm(temporary, { recursive: true, force: true });
}
