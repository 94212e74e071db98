import { constants, existsSync } from 'node:fs';
import { copyFile, cp, link, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { temporaryDirectory } from './directory.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** What the Dockerfile copies besides node_modules. */
const COPIED = ['package.json', 'prisma', 'src', 'build/graphiql'];

/** Folders of the packages that `npm ci --omit=dev` installs on this machine, below the root. */
export async function productionPackages(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: true }>;
  };
  return Object.entries(packages)
    .filter(([dir, { dev }]) => dir !== '' && !dev)
    .map(([dir]) => dir)
    .filter((dir) => existsSync(join(ROOT, dir)));
}

/**
 * A directory with what a production install has, outside of the repository, whose packages would
 * otherwise be found. It goes with the test; files of packages are links where they can be.
 */
export async function productionInstall(): Promise<string> {
  const root = await temporaryDirectory();
  for (const dir of await productionPackages()) {
    const entries = await readdir(join(ROOT, dir), { recursive: true, withFileTypes: true });
    const nested = join(ROOT, dir, 'node_modules');
    const files = entries.filter(
      (entry) => entry.isFile() && !`${entry.parentPath}/`.startsWith(`${nested}/`),
    );
    for (const file of files) {
      const from = join(file.parentPath, file.name);
      const to = join(root, from.slice(ROOT.length));
      await mkdir(dirname(to), { recursive: true });
      // Another file system has no links to this one's files.
      await link(from, to).catch(() => copyFile(from, to, constants.COPYFILE_FICLONE));
    }
  }
  for (const path of COPIED) await cp(join(ROOT, path), join(root, path), { recursive: true });
  return root;
}
