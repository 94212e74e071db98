import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { findProgram } from './find-program.ts';
import { findUser, freePort, untilAnswering } from './postgres-cluster.ts';

/** Null: not installed. */
const program = findProgram('pgbouncer', ['/usr/sbin']);

export const hasPgBouncer = program !== null;

if (!hasPgBouncer) {
  process.stderr.write(
    '\nSKIPPED through PgBouncer: it is not installed (Debian: apt-get install pgbouncer).\n\n',
  );
}

/**
 * PgBouncer before a server, with Debian's defaults but for the pool mode; ends with the test.
 * @param databaseUrl With the user and password that it lets in.
 * @returns The same URL through it.
 */
export async function startPgBouncer(
  databaseUrl: string,
  poolMode: 'session' | 'transaction',
): Promise<string> {
  const target = new URL(databaseUrl);
  const dir = await mkdtemp(join(tmpdir(), 'retouch-pgbouncer-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const port = await freePort();
  const users = join(dir, 'userlist.txt');
  const config = join(dir, 'pgbouncer.ini');
  await writeFile(users, `"${target.username}" "${target.password}"\n`);
  await writeFile(
    config,
    [
      '[databases]',
      `* = host=${target.hostname} port=${target.port}`,
      '[pgbouncer]',
      `listen_addr = 127.0.0.1`,
      `listen_port = ${port}`,
      `unix_socket_dir = ${dir}`,
      'auth_type = md5',
      `auth_file = ${users}`,
      `pool_mode = ${poolMode}`,
    ].join('\n'),
  );
  // Neither of them runs as root.
  const user = process.getuid?.() === 0 ? await findUser('postgres') : undefined;
  if (user) for (const path of [dir, users, config]) await chown(path, user.uid, user.gid);
  const bouncer = spawn(program ?? '', [config], { ...user, stdio: 'ignore' });
  onTestFinished(async () => {
    if (bouncer.exitCode !== null || bouncer.signalCode !== null) return;
    const exited = once(bouncer, 'exit');
    bouncer.kill('SIGKILL');
    await exited;
  });
  const url = new URL(databaseUrl);
  url.port = String(port);
  await untilAnswering(url.href, () => bouncer.exitCode !== null);
  return url.href;
}
