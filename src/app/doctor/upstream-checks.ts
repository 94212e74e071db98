import { createModelList, type ModelList } from '../../models/model-list.ts';
import { notesOf } from '../../models/model-notes.ts';
import { createStandings } from '../../models/model-standing.ts';
import { createModels, readConfiguredModels } from '../../models/models.ts';
import { canConnect } from '../../net/can-connect.ts';
import { hasProxy } from '../../net/outbound-proxies.ts';
import { defaultModelOf, listingUpstreams } from '../upstreams.ts';
import type { Check } from './check.ts';
import type { AskedUpstream, DoctorContext } from './context.ts';
import { splitFix } from './explain.ts';
import { fault, type Outcome, ok, warn } from './finding.ts';
import { FILES } from './setting-checks.ts';

const EDITS_API = ['EDITS_API_URL', 'EDITS_API_KEY', 'EDITS_API_FILE'] as const;

/** Checks of what is called. None of them sends an edit: they only GET lists of models. */
export const UPSTREAM_CHECKS: readonly Check[] = [
  { name: 'proxies', settings: ['HTTP_PROXY', 'HTTPS_PROXY'], run: checkProxies },
  {
    name: 'upstreams',
    settings: [...EDITS_API, 'HTTP_PROXY', 'HTTPS_PROXY'],
    after: () => FILES,
    run: checkUpstreams,
  },
  {
    name: 'models',
    settings: [...EDITS_API, 'DEFAULT_MODEL', 'ALLOWED_MODELS', 'MODELS_FILE', 'PRICES_FILE'],
    after: () => FILES,
    run: checkModels,
  },
];

async function checkProxies({ config }: DoctorContext, signal: AbortSignal) {
  const { http, https } = config.outboundProxies;
  const proxies = [
    ['HTTP_PROXY', http],
    ['HTTPS_PROXY', https],
  ] as const;
  const outcomes = proxies.map(async ([setting, url]): Promise<Outcome[]> => {
    if (url === null) return [];
    // A proxy's URL may contain a password.
    const { host } = new URL(url);
    try {
      await canConnect(url, signal);
      return [ok(`${setting} ${host} accepts connections`)];
    } catch (error) {
      return [
        fault(
          `${setting} ${host} cannot be reached (${reasonOf(error)})`,
          `Start the proxy, or correct or unset ${setting}; hosts of NO_PROXY are reached without it.`,
        ),
      ];
    }
  });
  const found = (await Promise.all(outcomes)).flat();
  return found.length === 0 ? null : found;
}

async function checkUpstreams({ config, upstreams }: DoctorContext) {
  if (config.editsApi.kind === 'sandbox') {
    return ok('none: the built-in sandbox makes the images, not a model');
  }
  const asked = await upstreams();
  const isFile = config.editsApi.kind === 'file';
  const proxy = hasProxy(config.outboundProxies) ? ', or HTTP_PROXY and HTTPS_PROXY' : '';
  return asked.map((one) => upstreamOutcome(one, { isFile, proxy }));
}

function upstreamOutcome(
  { name, url, answer }: AskedUpstream,
  { isFile, proxy }: { isFile: boolean; proxy: string },
): Outcome {
  const at = `${name} (${new URL(url).host})`;
  const inFile = `of ${JSON.stringify(name)} in EDITS_API_FILE`;
  const urlSetting = isFile ? `the url ${inFile}` : 'EDITS_API_URL';
  const keySetting = isFile ? `the key ${inFile}` : 'EDITS_API_KEY';
  if ('error' in answer) {
    return fault(
      `${at} cannot be reached (${answer.error})`,
      `Start the server, or correct ${urlSetting}${proxy}; this machine must resolve and reach its host.`,
    );
  }
  const { status, models } = answer;
  if (models !== null) return ok(`${at} accepts the key and lists ${models.length} models`);
  if (status === 401 || status === 403) {
    return fault(
      `${at}: key rejected (status ${status})`,
      `Set ${keySetting} to a valid key for this URL.`,
    );
  }
  if (status === 407) {
    return fault(
      `the proxy requires credentials (status ${status})`,
      'Add the user name and password to the URL of HTTP_PROXY and HTTPS_PROXY.',
    );
  }
  if (status >= 500 || status === 408 || status === 429) {
    return warn(
      `${at} responds with status ${status}`,
      `Run this command again later; if it stays so, check the status page of the service at ${urlSetting}.`,
    );
  }
  return ok(`${at} responds; it has no list of models (status ${status})`);
}

async function checkModels({ config, upstreams }: DoctorContext) {
  const { editsApi, models: settings } = config;
  const lists = new Map<string, ModelList>();
  for (const { name, hasModelList, answer } of await upstreams()) {
    const listed = 'error' in answer ? null : answer.models;
    if (hasModelList && listed !== null) lists.set(name, createModelList(listed));
  }
  const models = createModels({
    known: await readConfiguredModels(config),
    default: settings.default ?? (await defaultModelOf(editsApi)),
    allowed: settings.allowed,
    standings: createStandings({
      upstreams: await listingUpstreams(editsApi),
      lists: { current: () => lists },
    }),
  });
  if (!models.isAllowed(models.default)) {
    return warn(
      `the default model ${models.default} is not in ALLOWED_MODELS: an edit must name its model`,
      'Set DEFAULT_MODEL to one of ALLOWED_MODELS.',
    );
  }
  const { warnings } = notesOf(models);
  if (warnings.length === 0) {
    const { isListed } = models.standing(models.default);
    return ok(
      `the default model ${models.default} ${isListed ? 'is listed' : 'is not known to have ended'}`,
    );
  }
  return warnings.map((note) => {
    const { message, fix } = splitFix(note);
    return warn(message, fix ?? 'Remove it from ALLOWED_MODELS, and use another model.');
  });
}

/** If a host has several addresses, the error has only a code. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || String((error as NodeJS.ErrnoException).code);
}
