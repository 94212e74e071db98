import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './overlays.ts';

export const UNITS = ['retouch.service', 'retouch-worker@.service'] as const;
export const unitPath = (name: string) => join(ROOT, 'deploy/systemd', name);

/** The values of each directive, in order. */
export type Unit = Readonly<Record<string, readonly string[]>>;

export async function readUnit(name: string): Promise<Unit> {
  const lines = (await readFile(unitPath(name), 'utf8')).split('\n');
  const pairs = lines
    .filter((line) => /^\w+=/.test(line))
    .map((line): [string, string] => [
      line.slice(0, line.indexOf('=')),
      line.slice(line.indexOf('=') + 1),
    ]);
  const unit = Object.groupBy(pairs, ([directive]) => directive);
  return Object.fromEntries(
    Object.entries(unit).map(([directive, found = []]) => [
      directive,
      found.map(([, value]) => value),
    ]),
  );
}

/** What `Environment=` sets, and what `ExecStart=` sets by `env`. */
export function environmentOf(unit: Unit): Record<string, string> {
  const [, set = ''] = /^\/usr\/bin\/env ((?:\S+=\S+ )+)/.exec(unit['ExecStart']?.[0] ?? '') ?? [];
  const all = [...(unit['Environment'] ?? []), ...set.split(' ').filter((word) => word !== '')];
  return Object.fromEntries(all.map((word) => word.split('=', 2) as [string, string]));
}
