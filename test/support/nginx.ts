import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './directory.ts';
import { eventually } from './eventually.ts';

/** The installed one, as Debian has it; null: there is none. */
export function findNginx(): string | null {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  return dirs.map((dir) => join(dir, 'nginx')).find((path) => existsSync(path)) ?? null;
}

/** Ports of 127.0.0.1 that nobody has at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Debian's nginx.conf around `sites`, until the test ends. Everything is in a directory of its own. */
export async function startNginx(
  nginx: string,
  sites: string,
  port: number,
  /** `crit`: without each connection that a server refuses. */
  logLevel: 'error' | 'crit' = 'error',
): Promise<void> {
  const dir = await temporaryDirectory();
  await mkdir(join(dir, 'temp'));
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = `
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    daemon off;
    pid ${dir}/nginx.pid;
    error_log stderr ${logLevel};
    events { worker_connections 768; }
    http {
      ${temp.map((name) => `${name}_temp_path ${dir}/temp/${name};`).join('\n')}
      sendfile on;
      tcp_nopush on;
      types_hash_max_size 2048;
      default_type application/octet-stream;
      access_log off;
      gzip on;
      ${sites}
    }`;
  await writeFile(join(dir, 'nginx.conf'), config);
  const child = spawn(nginx, ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await eventually(() => fetch(`http://127.0.0.1:${port}/health/live`, { redirect: 'manual' }));
}
