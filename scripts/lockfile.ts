/**
 * `npm run lockfile`: completes package-lock.json. npm leaves another platform's optional package
 * out of it when that one cannot be had at the time, and `npm ci` then refuses the lock everywhere.
 * With `--check` it writes nothing and fails when something is missing.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface LockedPackage {
  readonly version?: string;
  readonly dev?: true;
  readonly license?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The words that stand for a platform in the names of such packages. */
const OS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64'];
const LIBC = new Map([
  ['gnu', 'glibc'],
  ['gnueabihf', 'glibc'],
  ['musl', 'musl'],
  ['musleabihf', 'musl'],
]);

/** The entry that npm would have written, but for the hash, which only the package itself tells. */
function entryOf(name: string, version: string, owner: LockedPackage) {
  const words = name.split(/[/-]/);
  const os = words.find((word) => OS.includes(word));
  const cpu = words.find((word) => CPU.includes(word));
  const libc = words.map((word) => LIBC.get(word)).find((found) => found !== undefined);
  if (!os || !cpu || !/^\d+\.\d+\.\d+/.test(version)) {
    throw new Error(`${name}@${version} is missing, and its name does not tell its platform.`);
  }
  return {
    version,
    cpu: [cpu],
    ...(owner.dev && { dev: true }),
    ...(libc && { libc: [libc] }),
    ...(owner.license && { license: owner.license }),
    optional: true,
    os: [os],
  };
}

const path = join(import.meta.dirname, '../package-lock.json');
const lock: { packages: Record<string, LockedPackage> } = JSON.parse(await readFile(path, 'utf8'));
const missing = Object.values(lock.packages).flatMap((owner) =>
  Object.entries(owner.optionalDependencies ?? {})
    .filter(([name]) => !lock.packages[`node_modules/${name}`])
    .map(([name, version]) => [`node_modules/${name}`, entryOf(name, version, owner)] as const),
);

if (!process.argv.includes('--check')) {
  const all = [...Object.entries(lock.packages), ...missing];
  // As npm sorts them.
  const packages = Object.fromEntries(all.sort(([a], [b]) => a.localeCompare(b, 'en')));
  await writeFile(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
} else if (missing.length > 0) {
  const names = missing.map(([name]) => `  ${name}\n`).join('');
  process.stderr.write(`package-lock.json lacks these: run \`npm run lockfile\`.\n${names}`);
  process.exitCode = 1;
}
