import { type Config, loadConfig } from '../../config/config.ts';
import type { SettingName } from '../../config/settings.ts';
import { ConfigError } from '../../errors.ts';
import { settingsIn } from './explain.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface UsableConfig {
  /** Null: not even the valid settings make a configuration. */
  readonly config: Config | null;
  /** All of them, as a start reports them. */
  readonly problems: readonly string[];
  /** Settings that `config` lacks because they have a problem. */
  readonly unusable: ReadonlySet<SettingName>;
}

/** The configuration without the settings that have a problem, so that the rest can be checked. */
export function loadUsableConfig(env: Environment): UsableConfig {
  const problems: string[] = [];
  const unusable = new Set<SettingName>();
  for (;;) {
    try {
      return { config: loadConfig(without(env, unusable)), problems, unusable };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // Without a setting, another one may seem to lack it: only the first list is the user's.
      if (problems.length === 0) problems.push(...error.problems);
      const before = unusable.size;
      // A problem begins with the setting to change.
      for (const problem of error.problems) {
        const [name] = settingsIn(problem);
        if (name !== undefined) unusable.add(name as SettingName);
      }
      if (unusable.size === before) return { config: null, problems, unusable };
    }
  }
}

/** The names of proxies may be in lower case. */
function without(env: Environment, names: ReadonlySet<string>): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !names.has(name) && !(/^https?_proxy$/.test(name) && names.has(name.toUpperCase())),
    ),
  );
}
