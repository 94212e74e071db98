import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilAnswering } from './until-answering.ts';

export interface Nginx {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** One process of nginx that serves the files of a directory by sendfile. */
export async function startNginx(nginx: string, dir: string, port: number): Promise<Nginx> {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = `
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    daemon off;
    master_process off;
    pid ${dir}/nginx.pid;
    error_log stderr;
    events { worker_connections 256; }
    http {
      ${temp.map((name) => `${name}_temp_path ${dir}/${name};`).join('\n')}
      sendfile on;
      tcp_nopush on;
      open_file_cache max=10;
      keepalive_requests 1000000000;
      access_log off;
      server { listen 127.0.0.1:${port}; root ${dir}; }
    }`;
  await writeFile(join(dir, 'nginx.conf'), config);
  const child = spawn(nginx, ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  await untilAnswering(port, () => child.exitCode !== null);
  if (child.pid === undefined) throw new Error('nginx did not start');
  return {
    port,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
