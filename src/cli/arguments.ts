import { parseArgs } from 'node:util';
import type { ArgsDef } from 'citty';
import { UsageError } from './usage-error.ts';

export interface Arguments {
  /** The value of an option that must be given. */
  required(name: string): string;
  /** Null: not given. The last one, of several. */
  optional(name: string): string | null;
  /** Whether an option without a value is given. */
  flag(name: string): boolean;
  /** All values of an option that may be repeated. */
  all(name: string): readonly string[];
}

/**
 * Parses the arguments of one command, strictly: citty accepts unknown options, options without a
 * value and surplus arguments, and returns the last of repeated options.
 * @throws UsageError
 */
export function readArguments(rawArgs: readonly string[], definition: ArgsDef): Arguments {
  const named = Object.entries(definition);
  const options = named.filter(([, { type }]) => type !== 'positional');
  const positional = named.filter(([, { type }]) => type === 'positional').map(([name]) => name);
  const parsed = parse(rawArgs, options);
  const surplus = parsed.positionals[positional.length];
  if (surplus !== undefined) throw new UsageError(`Unexpected argument ${surplus}`);
  const values = new Map<string, readonly string[]>([
    ...Object.entries(parsed.values).map(([name, all]): [string, readonly string[]] => [
      name,
      (all ?? []).map(String),
    ]),
    ...positional.map((name, index): [string, readonly string[]] => [
      name,
      parsed.positionals.slice(index, index + 1),
    ]),
  ]);
  const last = (name: string) => values.get(name)?.at(-1) ?? null;
  return {
    required(name) {
      const value = last(name);
      if (value === null) throw new UsageError(`Missing ${name}`);
      return value;
    },
    optional: last,
    flag: (name) => last(name) !== null,
    all: (name) => values.get(name) ?? [],
  };
}

function parse(rawArgs: readonly string[], options: readonly [string, ArgsDef[string]][]) {
  try {
    return parseArgs({
      args: [...rawArgs],
      options: Object.fromEntries(
        options.map(([name, { type }]) => [
          name,
          { type: type === 'boolean' ? type : 'string', multiple: true } as const,
        ]),
      ),
      allowPositionals: true,
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's hint about `--` follows the first sentence.
    const [sentence = ''] = error.message.split(/\. /);
    throw new UsageError(sentence);
  }
}
