/**
 * Which older releases may run on a database that a newer one has migrated. A migration only adds,
 * unless its file says otherwise:
 *
 *     -- oldest compatible migration: 20270101000000_example
 *
 * It then removes or changes what releases used whose newest migration is older than that one. Each
 * row of _prisma_migrations says it in `logs`, because an older release does not have the file.
 */
const DIRECTIVE = /^-- oldest compatible migration: (\S+)$/m;

const EXPANDS = 'expands';
const CONTRACTS = /^oldest compatible migration: (\S+)$/;

/** The oldest migration that a release must have to run on this one; null: any may. */
export function oldestCompatible(sql: string): string | null {
  return DIRECTIVE.exec(sql)?.[1] ?? null;
}

/** What the row of a migration says in `logs`. */
export function compatibilityNote(sql: string): string {
  const oldest = oldestCompatible(sql);
  return oldest === null ? EXPANDS : `oldest compatible migration: ${oldest}`;
}

/**
 * Whether a release may run on a migration that it does not know. Not if Prisma's own engine has
 * applied it, which leaves no note.
 * @param newest The release's newest migration.
 */
export function isCompatible(note: string | null, newest: string): boolean {
  if (note === EXPANDS) return true;
  const oldest = CONTRACTS.exec(note ?? '')?.[1];
  return oldest !== undefined && oldest <= newest;
}
