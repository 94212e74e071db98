import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../src/edits-api/sandbox/standalone.ts', import.meta.url));

/** The sandbox in a process of its own. `url` ends in /v1. */
export async function startSandboxProcess(): Promise<{ url: string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [ENTRY, '--port', '0', '--delay-ms', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [line] = await once(createInterface(child.stdout), 'line');
  return {
    url: (JSON.parse(line) as { url: string }).url,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
