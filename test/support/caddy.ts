import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './directory.ts';
import { eventually } from './eventually.ts';

/** Caddy with these sites, until the test ends. Everything is in a directory of its own. */
export async function startCaddy(caddy: string, sites: string, url: string): Promise<void> {
  const dir = await temporaryDirectory();
  const path = join(dir, 'Caddyfile');
  const options = ['admin off', 'auto_https disable_redirects'];
  await writeFile(path, `{\n\t${options.join('\n\t')}\n}\n${sites}`);
  const child = spawn(caddy, ['run', '--config', path, '--adapter', 'caddyfile'], {
    env: { HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const failed = ended.then(() => {
    throw new Error(`Caddy ended: ${said.join('')}`);
  });
  await Promise.race([eventually(() => fetch(`${url}/health/live`)), failed]);
  failed.catch(() => {});
}
