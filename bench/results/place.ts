import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findNginx } from '../../test/support/nginx.ts';
import { findBinaries } from '../../test/support/postgres-cluster.ts';
import type { Place } from './section.ts';

const ROOT = join(import.meta.dirname, '../..');
const BYTES_PER_GIB = 2 ** 30;

/** This machine, the versions of what is measured on it, and its load now. */
export async function readPlace(): Promise<Place> {
  const [cpu] = cpus();
  const cores = cpus().length;
  const memory = `${(totalmem() / BYTES_PER_GIB).toFixed(1)} GiB of memory`;
  const versions = [
    `Retouch ${await serviceVersion()}`,
    `Node ${process.version}`,
    `Postgres ${await postgresVersion()}`,
    `nginx ${await nginxVersion()}`,
  ];
  return {
    machine: `${cpu?.model.trim() ?? 'unknown processor'}, ${cores} cores, ${memory}, ${await systemName()}`,
    versions: versions.join(', '),
    load: loadavg()[0] ?? 0,
    cores,
  };
}

/** With the commit; with `+` if the checkout has changes beyond the results. */
async function serviceVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const commit = await outputOf('git', ['rev-parse', '--short=12', 'HEAD']);
  if (commit === null) return version;
  const changes = await outputOf('git', ['status', '--porcelain', ':!bench/RESULTS.md']);
  return `${version} (${commit}${changes ? '+' : ''})`;
}

async function postgresVersion(): Promise<string> {
  const dir = await findBinaries();
  const text = dir && (await outputOf(join(dir, 'postgres'), ['--version']));
  return text?.replace(/^postgres \(PostgreSQL\) /, '') ?? 'not installed';
}

async function nginxVersion(): Promise<string> {
  const path = findNginx();
  const text = path && (await outputOf(path, ['-v']));
  return text?.replace(/^nginx version: nginx\//, '') ?? 'not installed';
}

async function systemName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name] = /^PRETTY_NAME="?(.*?)"?$/m.exec(text) ?? [];
  return [name, `${type()} ${release()}`].filter(Boolean).join(', ');
}

/** What a program prints, nginx to stderr; null if it fails. */
async function outputOf(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd: ROOT });
    return (stdout || stderr).trim();
  } catch {
    return null;
  }
}
