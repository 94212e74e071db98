import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** @param dirs Looked through before those of PATH. */
export function findProgram(name: string, dirs: readonly string[] = []): string | null {
  const all = [...dirs, ...(process.env['PATH'] ?? '').split(':')];
  return all.map((dir) => join(dir, name)).find(existsSync) ?? null;
}
