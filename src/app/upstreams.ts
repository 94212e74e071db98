import type { Config } from '../config/config.ts';
import { editsApiUrlHint } from '../config/setting-mistakes.ts';
import { createAnswerAccess } from '../edits-api/answer/answer-access.ts';
import { createEditsApi } from '../edits-api/client.ts';
import type { ReadSaved } from '../edits-api/edits-api.ts';
import {
  createModelListReader,
  type ModelListReader,
} from '../edits-api/models/model-list-reader.ts';
import {
  byPriority,
  createUpstreams,
  type KnownUpstream,
  type Upstreams,
} from '../edits-api/upstreams.ts';
import {
  isFirstHandHost,
  readUpstreamsFile,
  type UpstreamConfig,
} from '../edits-api/upstreams-file.ts';
import type { Staging } from '../images/storage/staging.ts';
import type { Log } from '../log.ts';
import { defaultModel, isOpenAi } from '../models/default-model.ts';
import type { ListingUpstream } from '../models/model-standing.ts';
import { NO_PROXIES, type OutboundProxies } from '../net/outbound-proxies.ts';
import { createSandbox } from '../sandbox/sandbox.ts';
import type { Traces } from '../telemetry/traces.ts';

const SINGLE = { models: null, priority: 0, concurrency: null };

/** The edits APIs to call: the configured ones, or the sandbox, started here. */
export async function openUpstreams(options: {
  editsApi: Config['editsApi'];
  /** For configured ones: the sandbox is in this process. @default none */
  proxies?: OutboundProxies;
  staging: Staging;
  traces: Traces;
  log: Log;
}): Promise<{
  upstreams: Upstreams;
  /** Of those that have lists of models to go by. */
  listReaders: readonly ModelListReader[];
  close(): Promise<void>;
}> {
  const { editsApi, staging, traces, log } = options;
  const proxies = editsApi.kind === 'sandbox' ? NO_PROXIES : (options.proxies ?? NO_PROXIES);
  const sandbox =
    editsApi.kind === 'sandbox' ? createSandbox({ delayMs: editsApi.delayMs, log }) : null;
  const { url } = (await sandbox?.start()) ?? { url: '' };
  const configs = await configured(editsApi, url);
  // Of a single one loadConfig tells.
  if (editsApi.kind === 'file') warnOfUrls(configs, log);
  const otherKeys = configs.map(({ key }) => key);
  const clients = configs.map((config) => ({
    config,
    editsApi: createEditsApi({ ...config, otherKeys, staging, proxies, traces }),
  }));
  const listReaders = configs
    .filter(({ url }) => sandbox === null && !isAzure(url))
    .map((config) => createModelListReader({ ...config, otherKeys, proxies }));
  return {
    upstreams: createUpstreams(clients),
    listReaders,
    async close() {
      await Promise.all(clients.map((client) => client.editsApi.close()));
      await Promise.all(listReaders.map((reader) => reader.close()));
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

/** The upstreams, as far as the end of a model depends on them. */
export async function listingUpstreams(
  editsApi: Config['editsApi'],
): Promise<readonly ListingUpstream[]> {
  const all = await configured(editsApi, 'http://sandbox.invalid/v1');
  return all
    .toSorted(byPriority)
    .map(({ name, models, url }) => ({ name, models, isOpenAi: isOpenAi(url) }));
}

/** One upstream, as far as it can be checked without an edit. */
export interface UpstreamProbe {
  readonly name: string;
  readonly url: string;
  /** Whether its list of models says which edits it accepts. */
  readonly hasModelList: boolean;
  readonly reader: ModelListReader;
}

/** Every configured upstream; none for the sandbox. The caller closes the readers. */
export async function openUpstreamProbes(options: {
  editsApi: Config['editsApi'];
  proxies: OutboundProxies;
  timeoutMs: number;
}): Promise<readonly UpstreamProbe[]> {
  const { editsApi, proxies, timeoutMs } = options;
  if (editsApi.kind === 'sandbox') return [];
  const configs = await configured(editsApi, '');
  const otherKeys = configs.map(({ key }) => key);
  const limits = { timeoutMs, connectTimeoutMs: timeoutMs };
  return configs.toSorted(byPriority).map((config) => ({
    name: config.name,
    url: config.url,
    hasModelList: !isAzure(config.url),
    reader: createModelListReader({ ...config, ...limits, otherKeys, proxies }),
  }));
}

/** Azure lists the models that can be deployed, but edits name deployments. */
function isAzure(url: string): boolean {
  return /\.azure\.com$/i.test(new URL(url).hostname);
}

/** The model of an edit that names none, unless it is configured. */
export async function defaultModelOf(editsApi: Config['editsApi']): Promise<string> {
  const all = await configured(editsApi, '');
  return defaultModel(all.toSorted(byPriority));
}

/** A client waits for what it rereads, and may ask again: linked images are not waited for long. */
const REREAD_PATIENCE_MS = 20_000;

/** Reads stored answers in a process that may call none of them. */
export async function openAnswerReaders(options: {
  editsApi: Config['editsApi'];
  proxies: OutboundProxies;
  staging: Staging;
}): Promise<{
  /** Of the edits API of that name, or of any when it is not configured any more. */
  readerOf: (upstream: string | null) => ReadSaved;
  close(): Promise<void>;
}> {
  const { editsApi, proxies, staging } = options;
  // Nobody may know where the sandbox of another process is, and it links to nothing.
  const configs = await configured(editsApi, 'http://sandbox.invalid/v1');
  const otherKeys = configs.map(({ key }) => key);
  const readers = configs.toSorted(byPriority).map((config) => ({
    name: config.name,
    access: createAnswerAccess({
      ...config,
      otherKeys,
      proxies,
      staging,
      patience: { totalMs: REREAD_PATIENCE_MS },
    }),
  }));
  const [first] = readers;
  if (first === undefined)
    throw new Error('no upstream is configured whose responses could be read');
  return {
    readerOf: (upstream) =>
      (readers.find(({ name }) => name === upstream) ?? first).access.readSaved,
    async close() {
      await Promise.all(readers.map(({ access }) => access.close()));
    },
  };
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
  if (editsApi.kind === 'file') return readUpstreamsFile(editsApi.path, editsApi.firstHand);
  if (editsApi.kind === 'remote') {
    const firstHand = editsApi.firstHand ?? isFirstHandHost(editsApi.url);
    return [{ name: 'default', ...editsApi, firstHand, safetyIdentifier: firstHand, ...SINGLE }];
  }
  const url = sandboxUrl;
  const own = { url, key: 'sandbox', imageField: 'image[]', firstHand: true } as const;
  return [{ name: 'sandbox', ...own, safetyIdentifier: true, ...SINGLE }];
}
