import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What a measured process tells its parent over the IPC channel. */
export type FromMeasured = { kind: 'ready'; url: string } | { kind: 'stall'; maxMs: number };

/** What the parent asks of it. `answerStall` ends what `watchStall` began. */
export type ToMeasured = 'watchStall' | 'answerStall' | 'stop';

const RESOLUTION_MS = 1;

/**
 * Runs in the process that is measured: tells the parent where it listens, and then how long its
 * event loop was held up at most. The monitor runs only while it is asked for, as it costs a timer.
 */
export function answerParent(options: { url: string; stop: () => Promise<void> }): void {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const tell = (message: FromMeasured) => process.send?.(message);
  process.on('message', (message: ToMeasured) => {
    if (message === 'watchStall') {
      delays.reset();
      delays.enable();
    } else if (message === 'answerStall') {
      delays.disable();
      tell({ kind: 'stall', maxMs: delays.max / 1e6 });
    } else {
      void options.stop().then(() => process.disconnect());
    }
  });
  tell({ kind: 'ready', url: options.url });
}

/** A server of Node's that the parent measures, and what ends with it. */
export async function serveParent(
  listener: RequestListener,
  close: () => Promise<void> = async () => {},
): Promise<void> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  answerParent({
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await close();
    },
  });
}
