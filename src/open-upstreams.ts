import type { Config } from './config.ts';
import { createEditsApi } from './edits-api/client.ts';
import { createSandbox } from './edits-api/sandbox/sandbox.ts';
import {
  byPriority,
  createUpstreams,
  type KnownUpstream,
  type Upstreams,
} from './edits-api/upstreams.ts';
import {
  isFirstHandHost,
  readUpstreamsFile,
  type UpstreamConfig,
} from './edits-api/upstreams-file.ts';
import type { Staging } from './images/staging.ts';
import type { Log } from './log.ts';
import { defaultModel } from './models/default-model.ts';

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
  const { url } = (await sandbox?.start()) ?? { url: '' };
  const clients = (await configured(editsApi, url)).map((config) => ({
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

/** The same for a process that calls none of them: it has no circuit that could be open. */
export async function knownUpstreams(
  editsApi: Config['editsApi'],
): Promise<readonly KnownUpstream[]> {
  const all = await configured(editsApi, '');
  return all.toSorted(byPriority).map(({ name, models, priority }) => ({
    name,
    models,
    priority,
    isClosed: () => true,
  }));
}

/** The model of an edit that names none, unless it is configured. */
export async function defaultModelOf(editsApi: Config['editsApi']): Promise<string> {
  const all = await configured(editsApi, '');
  return defaultModel(all.toSorted(byPriority));
}

async function configured(
  editsApi: Config['editsApi'],
  sandboxUrl: string,
): Promise<readonly UpstreamConfig[]> {
  if (editsApi.kind === 'file') return readUpstreamsFile(editsApi.path, editsApi.firstHand);
  if (editsApi.kind === 'remote') {
    const firstHand = editsApi.firstHand ?? isFirstHandHost(editsApi.url);
    return [{ name: 'default', ...editsApi, firstHand, ...SINGLE }];
  }
  const url = sandboxUrl;
  const own = { url, key: 'sandbox', imageField: 'image[]', firstHand: true } as const;
  return [{ name: 'sandbox', ...own, ...SINGLE }];
}
