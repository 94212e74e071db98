import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Upstream {
  readonly url: string;
  stop(): Promise<void>;
}

/** An edits API in a process of its own, which answers every image with noise of that many bytes. */
export async function startUpstream(options: {
  delayMs: number;
  imageBytes: number;
}): Promise<Upstream> {
  const path = fileURLToPath(import.meta.resolve('../../src/sandbox/standalone.ts'));
  const { delayMs, imageBytes } = options;
  const args = ['--delay-ms', String(delayMs), '--fixed-output-bytes', String(imageBytes)];
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  return {
    url: JSON.parse(String(line)).url,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
