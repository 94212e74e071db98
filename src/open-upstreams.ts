import type { Config } from './config.ts';
import { createEditsApi } from './edits-api/client.ts';
import { createSandbox } from './edits-api/sandbox/sandbox.ts';
import { createUpstreams, type Upstreams } from './edits-api/upstreams.ts';
import { readUpstreamsFile, type UpstreamConfig } from './edits-api/upstreams-file.ts';
import type { Staging } from './images/staging.ts';
import type { Log } from './log.ts';

const SINGLE = { models: null, priority: 0, concurrency: null };

/** The edits APIs to call: the configured ones, or the sandbox, started here. */
export async function openUpstreams(options: {
  editsApi: Config['editsApi'];
  staging: Staging;
  log: Log;
}): Promise<{ upstreams: Upstreams; close(): Promise<void> }> {
  const { editsApi, staging, log } = options;
  const sandbox =
    editsApi.kind === 'sandbox' ? createSandbox({ delayMs: editsApi.delayMs, log }) : null;

  async function configured(): Promise<readonly UpstreamConfig[]> {
    if (editsApi.kind === 'file') return readUpstreamsFile(editsApi.path);
    if (editsApi.kind === 'remote') return [{ name: 'default', ...editsApi, ...SINGLE }];
    const { url } = (await sandbox?.start()) ?? { url: '' };
    return [{ name: 'sandbox', url, key: 'sandbox', imageField: 'image[]', ...SINGLE }];
  }

  const clients = (await configured()).map((config) => ({
    config,
    editsApi: createEditsApi({ ...config, staging }),
  }));
  return {
    upstreams: createUpstreams(clients),
    async close() {
      await Promise.all(clients.map((client) => client.editsApi.close()));
      await sandbox?.stop();
    },
  };
}
