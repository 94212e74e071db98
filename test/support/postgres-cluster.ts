import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { decoys, onServer, SERVER_OPTIONS } from './hostile-role.ts';

const run = promisify(execFile);

export interface PostgresCluster {
  /** Superuser, database `postgres`. */
  readonly url: string;
  /** Ends it as an administrator does, breaking off sessions; its data stays for `start`. */
  shutDown(): Promise<void>;
  /** Starts it again on the same port; resolves when it answers. */
  start(): Promise<void>;
  /** Of its server and of all processes that this one has now. */
  pids(): Promise<number[]>;
  /** Stops all its processes where they are (SIGSTOP), or lets them go on. Linux only. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** A standby that has all that this one has, and follows it; to be stopped like this one. */
  startStandby(): Promise<Standby>;
  /** Ends it at once and removes its files. */
  stop(): Promise<void>;
}

export interface Standby {
  readonly port: number;
  /** Resolves when it takes writes. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A Postgres server of our own in a temporary directory, with defaults that suit nobody; null where
 * none is installed.
 */
export async function startPostgresCluster(): Promise<PostgresCluster | null> {
  const bin = await findBinaries();
  if (bin === null) return null;
  const { dir, user } = await createDirectory();
  const data = join(dir, 'data');
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N'], { ...user });
  const port = await freePort();
  const url = urlAt(port);
  const launch = () => launchServer(join(bin, 'postgres'), { data, port, dir, user });
  let server = await launch();
  await onServer(url, ...decoys('postgres'));
  const end = (signal: 'SIGINT' | 'SIGQUIT') => endServer(server, signal);
  const pids = async () => {
    const { stdout } = await run('pgrep', ['-P', String(server.pid)]);
    return [server.pid ?? 0, ...stdout.trim().split('\n').map(Number)];
  };
  const signalAll = async (signal: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of await pids()) process.kill(pid, signal);
  };
  return {
    url,
    shutDown: () => end('SIGINT'),
    async start() {
      server = await launch();
    },
    pids,
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    startStandby: () => startStandby(bin, port),
    async stop() {
      await end('SIGQUIT');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** By its own words it has to have all that the primary has before it answers. */
async function startStandby(bin: string, primaryPort: number): Promise<Standby> {
  const { dir, user } = await createDirectory();
  const data = join(dir, 'data');
  const port = await freePort();
  const from = ['-h', '127.0.0.1', '-p', `${primaryPort}`, '-U', 'postgres'];
  await run(join(bin, 'pg_basebackup'), ['-D', data, ...from, '-R', '-X', 'stream', '-c', 'fast'], {
    ...user,
  });
  const server = await launchServer(join(bin, 'postgres'), { data, port, dir, user });
  return {
    port,
    async promote() {
      await run(join(bin, 'pg_ctl'), ['promote', '-D', data, '-w'], { ...user });
    },
    async stop() {
      await endServer(server, 'SIGQUIT');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Postgres refuses to run as root: there the packaged user runs it. */
async function createDirectory() {
  const dir = await mkdtemp(join(tmpdir(), 'retouch-postgres-'));
  const user = process.getuid?.() === 0 ? await findUser('postgres') : undefined;
  if (user) await chown(dir, user.uid, user.gid);
  return { dir, user };
}

/** Resolves when it answers. */
async function launchServer(
  binary: string,
  { data, port, dir, user }: { data: string; port: number; dir: string; user: object | undefined },
): Promise<ChildProcess> {
  const args = ['-D', data, '-p', `${port}`, '-k', dir, '-h', '127.0.0.1', '-F', '-N', '300'];
  const server = spawn(binary, [...args, ...SERVER_OPTIONS], { ...user, stdio: 'ignore' });
  await untilAnswering(urlAt(port), () => server.exitCode !== null);
  return server;
}

const urlAt = (port: number) => `postgres://postgres@127.0.0.1:${port}/postgres`;

async function endServer(server: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill(signal);
  await exited;
}

export async function findBinaries(): Promise<string | null> {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? await readdir(root) : [];
  const candidates = [
    ...versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(root, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  return candidates.find((dir) => existsSync(join(dir, 'initdb'))) ?? null;
}

export async function findUser(name: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A server that starts has no event to wait for from outside: it is asked until it answers. */
export async function untilAnswering(url: string, hasExited: () => boolean): Promise<void> {
  for (;;) {
    if (hasExited()) throw new Error('the test Postgres server did not start');
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
