import type { Config } from './config.ts';
import { createEditsApi } from './edits-api/client.ts';
import { createSandbox } from './edits-api/sandbox/sandbox.ts';
import {
  byPriority,
  createUpstreams,
  type KnownUpstream,
  type Upstreams,
} from './edits-api/upstreams.ts';
import { readUpstreamsFile, type UpstreamConfig } from './edits-api/upstreams-file.ts';
import type { Staging } from './images/staging.ts';
import type { Log } from './log.ts';
import { NO_PROXIES, type OutboundProxies } from './net/outbound-proxies.ts';
import { editsApiUrlHint } from './setting-mistakes.ts';

const SINGLE = { models: null, priority: 0, concurrency: null };

/** The edits APIs to call: the configured ones, or the sandbox, started here. */
export async function openUpstreams(options: {
  editsApi: Config['editsApi'];
  /** For configured ones: the sandbox is in this process. @default none */
  proxies?: OutboundProxies;
  staging: Staging;
  log: Log;
}): Promise<{ upstreams: Upstreams; close(): Promise<void> }> {
  const { editsApi, staging, log } = options;
  const proxies = editsApi.kind === 'sandbox' ? NO_PROXIES : (options.proxies ?? NO_PROXIES);
  const sandbox =
    editsApi.kind === 'sandbox' ? createSandbox({ delayMs: editsApi.delayMs, log }) : null;
  const { url } = (await sandbox?.start()) ?? { url: '' };
  const configs = await configured(editsApi, url);
  // Of a single one loadConfig tells.
  if (editsApi.kind === 'file') warnOfUrls(configs, log);
  const clients = configs.map((config) => ({
    config,
    editsApi: createEditsApi({ ...config, staging, proxies }),
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

function warnOfUrls(configs: readonly UpstreamConfig[], log: Log): void {
  for (const { name, url } of configs) {
    const hint = editsApiUrlHint(url);
    if (hint !== null) log.warn({ upstream: name }, `its url ${JSON.stringify(url)} ${hint}`);
  }
}

async function configured(
  editsApi: Config['editsApi'],
  sandboxUrl: string,
): Promise<readonly UpstreamConfig[]> {
  if (editsApi.kind === 'file') return readUpstreamsFile(editsApi.path);
  if (editsApi.kind === 'remote') return [{ name: 'default', ...editsApi, ...SINGLE }];
  return [{ name: 'sandbox', url: sandboxUrl, key: 'sandbox', imageField: 'image[]', ...SINGLE }];
}
