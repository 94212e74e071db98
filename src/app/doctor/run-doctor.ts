import { setTimeout as delay } from 'node:timers/promises';
import { ServiceFailedError } from '../../admin/socket/protocol.ts';
import { SETTINGS, type Setting } from '../../config/settings.ts';
import { createRedactor } from '../../edits-api/answer/redact.ts';
import type { Check } from './check.ts';
import { CHECKS } from './checks.ts';
import { type DoctorContext, openContext } from './context.ts';
import { explain, faultOf, splitFix } from './explain.ts';
import { type Finding, type Outcome, ok, warn } from './finding.ts';
import { loadUsableConfig, type UsableConfig } from './usable-config.ts';

const TIMEOUT_MS = 10_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Checks the settings and what they point to, in the order of the table; independent checks run at
 * once. A check that fails or hangs prevents only those that need it. Sends no edit.
 * @param options.onFinding Called in the order of the table, as soon as possible.
 * @returns All findings. No secret is in them.
 */
export async function runDoctor(options: {
  env: Environment;
  /** Ends it, without the findings. */
  signal?: AbortSignal;
  onFinding?: (finding: Finding) => void;
  /** Of each check. @default 10_000 // 10 seconds */
  timeoutMs?: number;
  /** This machine's clock. @default Date.now */
  now?: () => number;
}): Promise<readonly Finding[]> {
  const { env, signal = new AbortController().signal } = options;
  const { onFinding = () => {}, now = Date.now, timeoutMs = TIMEOUT_MS } = options;
  const redact = createRedactor(secretsOf(env));
  const findings: Finding[] = [];
  const report = (check: string, outcomes: readonly Outcome[]) => {
    for (const { status, message, fix } of outcomes) {
      const finding = { check, status, message: redact(message), fix: fix && redact(fix) };
      findings.push(finding);
      onFinding(finding);
    }
  };

  const usable = loadUsableConfig(env);
  report('configuration', configurationOutcomes(usable, env));
  const { config, unusable } = usable;
  if (config === null) return findings;
  const ending = new AbortController();
  const interrupted = rejectsWhen(signal);
  await using context = openContext({ config, env, now, signal: ending.signal });
  const running = new Map<string, Promise<readonly Outcome[]>>();
  for (const check of CHECKS) {
    const after = check.after?.(config) ?? null;
    const earlier = after === null ? null : { name: after, outcomes: running.get(after) };
    running.set(check.name, runCheck({ check, earlier, unusable, context, timeoutMs }));
  }
  try {
    for (const [name, outcomes] of running) {
      report(name, await Promise.race([outcomes, interrupted]));
    }
  } finally {
    ending.abort();
  }
  return findings;
}

function configurationOutcomes(
  { config, problems }: UsableConfig,
  env: Environment,
): readonly Outcome[] {
  const warnings = (config?.warnings ?? []).map((text) =>
    warn(text, 'Correct the value or the name of this setting in the environment or in .env.'),
  );
  const faults = problems.map((problem) => faultOf(problem, 'See docs/settings.md.'));
  if (faults.length + warnings.length > 0) return [...faults, ...warnings];
  const count = Object.keys(SETTINGS).filter((name) => env[name]).length;
  return [ok(`all settings are valid (${count} are set)`)];
}

async function runCheck(options: {
  check: Check;
  /** The check that this one needs. */
  earlier: { name: string; outcomes: Promise<readonly Outcome[]> | undefined } | null;
  unusable: UsableConfig['unusable'];
  context: DoctorContext;
  timeoutMs: number;
}): Promise<readonly Outcome[]> {
  const { check, earlier, unusable, context } = options;
  const missing = check.settings.filter((name) => unusable.has(name));
  if (missing.length > 0) {
    const names = missing.join(' and ');
    return [warn(`${SKIPPED} of ${names}`, `Correct ${names} first.`)];
  }
  const before = await earlier?.outcomes;
  // The same words along the whole chain, which name its first check.
  const skipped = before?.filter(({ message }) => message.startsWith(SKIPPED)) ?? [];
  if (skipped.length > 0) return skipped;
  if (before?.some(({ status }) => status === 'fault')) {
    return [warn(`${SKIPPED} of ${earlier?.name}`, `Correct ${earlier?.name} first.`)];
  }
  const fallback = `Check ${check.settings.join(', ')}.`;
  const timeoutMs = check.timeoutMs?.(context.config) ?? options.timeoutMs;
  const limit = new AbortController();
  const done = new AbortController();
  const timeout = delay(timeoutMs, null, { signal: done.signal }).then(() => {
    limit.abort(new Error('the check took too long'));
    throw new Error(`no result after ${timeoutMs / 1_000} s`);
  });
  try {
    const found = await Promise.race([check.run(context, limit.signal), timeout]);
    return found === null ? [] : [found].flat();
  } catch (error) {
    // Of the running service, which could not be asked.
    if (error instanceof ServiceFailedError) {
      const { message, fix } = splitFix(error.message);
      return [warn(`not checked: ${message}`, fix ?? fallback)];
    }
    return explain(error, context.config, fallback);
  } finally {
    done.abort();
    timeout.catch(() => {});
  }
}

function rejectsWhen(signal: AbortSignal): Promise<never> {
  const rejected = new Promise<never>((_, reject) => {
    const fail = () => reject(signal.reason);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  // It may happen when nobody waits.
  rejected.catch(() => {});
  return rejected;
}

const SKIPPED = 'not checked, because';

/** Shorter ones may be words of the output, such as a password that is the name of its user. */
const MIN_SECRET_LENGTH = 12;

/**
 * The values of secret settings, and the passwords in URLs. No message should have one: this is for
 * those of servers.
 */
function secretsOf(env: Environment): readonly string[] {
  return Object.entries<Setting>(SETTINGS).flatMap(([name, { secret }]) => {
    const value = env[name] ?? env[name.toLowerCase()] ?? '';
    const { password = '' } = URL.parse(value) ?? {};
    const own = secret && password === '' ? [value] : [];
    return [...own, password, decoded(password)].filter((one) => one.length >= MIN_SECRET_LENGTH);
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
