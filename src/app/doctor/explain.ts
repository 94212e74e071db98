import type { Config } from '../../config/config.ts';
import { SETTINGS } from '../../config/settings.ts';
import { ConfigError, RetouchError } from '../../errors.ts';
import { explainStart } from '../start-failure.ts';
import { fault, type Outcome } from './finding.ts';

const NAME = /\b[A-Z][A-Z0-9_]{2,}\b/g;

/** The settings that a text names, in their order. */
export function settingsIn(text: string): string[] {
  return (text.match(NAME) ?? []).filter((name) => Object.hasOwn(SETTINGS, name));
}

/**
 * Splits a message of the start, which ends in its remedy after a colon. The fix names the setting,
 * also if only the rest of the message does.
 */
export function splitFix(text: string): { message: string; fix: string | null } {
  const at = Math.max(text.lastIndexOf(': '), text.search(/\. [A-Z]/));
  if (at === -1) return { message: text, fix: null };
  const message = text.slice(0, at);
  const fix = text.slice(at + 2);
  const [setting] = settingsIn(message);
  const isNamed = setting === undefined || settingsIn(fix).length > 0;
  return { message, fix: isNamed ? fix : `${setting}: ${fix}` };
}

/** @param fallback What to do about an error that does not say it. */
export function faultOf(text: string, fallback: string): Outcome {
  const { message, fix } = splitFix(text);
  return fault(message, fix ?? fallback);
}

/** The faults that an error tells of, in the words of a failed start. */
export function explain(error: unknown, config: Config, fallback: string): readonly Outcome[] {
  const explained = explainStart(error, config);
  if (explained instanceof ConfigError) {
    return explained.problems.map((problem) => faultOf(problem, fallback));
  }
  const text = explained instanceof Error ? explained.message : String(explained);
  if (!(explained instanceof RetouchError)) return [fault(text, fallback)];
  return [faultOf(text.replace(/^Retouch cannot start: /, ''), fallback)];
}
