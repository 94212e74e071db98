import { readIssuersFile } from '../../auth/tokens/issuers-file.ts';
import { isAuthOn } from '../../config/auth-settings.ts';
import { isLoopback } from '../../config/config.ts';
import { readUpstreamsFile } from '../../edits-api/upstreams-file.ts';
import { ConfigError } from '../../errors.ts';
import { readOperationList } from '../../http/graphql/persisted/operation-list.ts';
import { readKnownModels } from '../../models/models.ts';
import { readPricesFile } from '../../models/prices.ts';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';
import { settingsIn } from './explain.ts';
import { fault, type Outcome, ok, warn } from './finding.ts';

export const FILES = 'files of settings';

/** Checks of the settings themselves, and of the files that they name. */
export const SETTING_CHECKS: readonly Check[] = [
  {
    name: FILES,
    settings: [
      'MODELS_FILE',
      'PRICES_FILE',
      'EDITS_API_FILE',
      'PERSISTED_OPERATIONS_FILE',
      'AUTH_JWT_FILE',
    ],
    run: checkFiles,
  },
  { name: 'PUBLIC_URL', settings: ['PUBLIC_URL', 'HOST'], run: checkPublicUrl },
  { name: 'hosts of webhooks', settings: ['WEBHOOK_ALLOWED_HOSTS'], run: checkWebhookHosts },
];

/** Each file by itself, so that one problem does not hide the next. */
async function checkFiles({ config }: DoctorContext): Promise<readonly Outcome[] | null> {
  const { prices, models, editsApi, persistedOperations, auth } = config;
  const readings: (() => Promise<unknown>)[] = [];
  const pricesFile = prices.file;
  const readPrices = async () => (pricesFile === null ? {} : readPricesFile(pricesFile));
  if (pricesFile !== null) readings.push(readPrices);
  if (models.file !== null) {
    readings.push(async () => readKnownModels(models.file, await readPrices().catch(() => ({}))));
  }
  if (editsApi.kind === 'file') {
    readings.push(() => readUpstreamsFile(editsApi.path, editsApi.firstHand));
  }
  const { file } = persistedOperations;
  if (file !== null) readings.push(() => readOperationList(file));
  const { issuersFile } = auth;
  if (issuersFile !== null) readings.push(() => readIssuersFile(issuersFile));
  if (readings.length === 0) return null;
  const outcomes = await Promise.all(
    readings.map((read) =>
      read().then(
        () => [],
        (error: unknown) => fileFaults(error),
      ),
    ),
  );
  const faults = outcomes.flat();
  return faults.length > 0 ? faults : [ok(`all ${readings.length} can be read and are valid`)];
}

/** What a parser or the system says about a file is not a remedy. */
function fileFaults(error: unknown): readonly Outcome[] {
  const problems = error instanceof ConfigError ? error.problems : [String(error)];
  return problems.map((problem) => {
    const [setting = 'the setting'] = settingsIn(problem);
    return fault(problem, `Correct the file, or the path in ${setting}.`);
  });
}

async function checkPublicUrl({ config }: DoctorContext): Promise<Outcome> {
  const { host, publicUrl, prefix, trustedProxies } = config.http;
  if (publicUrl === null) return ok('not set: links begin with the origin of each request');
  const url = new URL(publicUrl);
  const isLocal = isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  if (url.protocol === 'http:' && !isLocal && (!isLoopback(host) || isAuthOn(config.auth))) {
    return warn(
      `${publicUrl} is not encrypted: others on the network can read images and credentials`,
      'Serve it over https by a proxy (docs/proxies.md), and set PUBLIC_URL to its https:// URL.',
    );
  }
  if (isLocal && !isLoopback(host)) {
    return warn(
      `${publicUrl} leads other machines to themselves, but HOST is ${host}`,
      'Set PUBLIC_URL to the URL at which clients on other machines reach the service.',
    );
  }
  if (url.protocol === 'https:' && trustedProxies.length === 0 && isAuthOn(config.auth)) {
    return ok(`${publicUrl}, through a proxy that TRUSTED_PROXIES does not name`);
  }
  return ok(prefix === '' ? publicUrl : `${publicUrl}, with the path prefix ${prefix}`);
}

async function checkWebhookHosts({ config }: DoctorContext): Promise<Outcome | null> {
  const { allowedHosts } = config.webhooks;
  if (allowedHosts.length === 0) return null;
  const patterns = allowedHosts.filter(
    (host) => host.includes('*') || URL.parse(`http://${host}`) === null,
  );
  if (patterns.length === 0) return ok(`${allowedHosts.join(', ')} may have private addresses`);
  return warn(
    `${patterns.join(', ')} allows nothing: patterns are not supported`,
    'List each host of WEBHOOK_ALLOWED_HOSTS by its full name, with or without a port.',
  );
}
