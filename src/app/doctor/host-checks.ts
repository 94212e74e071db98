import { METRICS_SETTINGS } from '../../http/metrics-server.ts';
import { checkPort } from '../../http/server.ts';
import { ENVIRONMENT, NODE_FLAGS } from '../node-options.ts';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';
import { explain } from './explain.ts';
import { type Outcome, ok, warn } from './finding.ts';

const MIN_NODE = 24;

/** Checks of this machine. */
export const HOST_CHECKS: readonly Check[] = [
  { name: 'Node.js', settings: [], run: checkNode },
  { name: 'port', settings: ['HOST', 'PORT'], run: checkAddress },
  { name: 'metrics', settings: ['METRICS_HOST', 'METRICS_PORT'], run: checkMetrics },
  { name: 'fonts', settings: ['EDITS_API_URL', 'EDITS_API_FILE'], run: checkFonts },
];

async function checkNode({ env }: DoctorContext): Promise<Outcome> {
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < MIN_NODE) {
    return warn(
      `${node} is older than ${MIN_NODE}`,
      `Run it with Node.js ${MIN_NODE}, which npm ci installs: npm start, or npm run retouch.`,
    );
  }
  if (process.platform === 'win32' || !process.execve) {
    return warn(
      `${node} cannot set its own flags here, so memory may grow under load`,
      `Start it with NODE_OPTIONS="${NODE_FLAGS.filter((flag) => flag.startsWith('--max-')).join(' ')}".`,
    );
  }
  const changed = Object.keys(ENVIRONMENT).filter((name) => env[name] !== undefined);
  const own = changed.length === 0 ? '' : `, except ${changed.join(' and ')}, which are set`;
  return ok(`${node}; a start sets its flags${own}`);
}

async function checkAddress(
  { config }: DoctorContext,
  signal: AbortSignal,
): Promise<Outcome | readonly Outcome[]> {
  const { host, port } = config.http;
  try {
    await checkPort(config.http);
    return ok(port === 0 ? `any free port of ${host}` : `${host}:${port} is free`);
  } catch (error) {
    const health = await readHealth(host, port, signal);
    if (health === null) return explain(error, config, 'Set HOST and PORT to a free address.');
    if (health.status === 'ready') return ok(`${host}:${port} serves a Retouch that is ready`);
    const lacking = Object.keys(health).filter((part) => health[part] === false);
    const why = lacking.length === 0 ? '' : `: ${lacking.join(', ')} unavailable`;
    return warn(
      `${host}:${port} serves a Retouch that is ${health.status}${why}`,
      'Read the log of that process, or set PORT to a free port for another one.',
    );
  }
}

async function checkMetrics(
  { config }: DoctorContext,
  signal: AbortSignal,
): Promise<Outcome | readonly Outcome[] | null> {
  const { metrics } = config;
  if (metrics === null) return null;
  try {
    await checkPort(metrics, METRICS_SETTINGS);
    return ok(`${metrics.host}:${metrics.port} is free`);
  } catch (error) {
    if (await servesMetrics(metrics, signal)) {
      return ok(`${metrics.host}:${metrics.port} serves the metrics of a Retouch`);
    }
    return explain(error, config, 'Set METRICS_PORT to a free port.');
  }
}

async function servesMetrics(
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const response = await fetch(`http://${localNameOf(host)}:${port}/metrics`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      redirect: 'error',
    });
    return (await response.text()).includes('# HELP retouch_');
  } catch {
    return false;
  }
}

function localNameOf(host: string): string {
  const local = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host];
  return local ?? (host.includes(':') ? `[${host}]` : host);
}

/** The health of the Retouch at an address; null if something else is there. */
async function readHealth(
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Record<string, unknown> | null> {
  try {
    const response = await fetch(`http://${localNameOf(host)}:${port}/health/ready`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      redirect: 'error',
    });
    const body: unknown = await response.json();
    const isHealth = typeof body === 'object' && body !== null && 'status' in body;
    if (!isHealth || !/^(ready|not ready|stopping)$/.test(String(body.status))) return null;
    return body as Record<string, unknown>;
  } catch {
    return null;
  }
}

async function checkFonts({ config }: DoctorContext): Promise<Outcome | null> {
  if (config.editsApi.kind !== 'sandbox') return null;
  const { findCaptionFonts } = await import('../../sandbox/caption-fonts.ts');
  const { latin, chinese } = await findCaptionFonts();
  if (latin && chinese) return ok('the sandbox can write Latin and Chinese prompts on its images');
  const missing = latin ? 'Chinese and Japanese prompts' : 'prompts';
  return warn(
    `the sandbox cannot write ${missing} on its images: there is no font`,
    'Install fonts (Debian: apt-get install fontconfig-config fonts-dejavu-core fonts-droid-fallback); if FONTCONFIG_FILE is set, correct it.',
  );
}
