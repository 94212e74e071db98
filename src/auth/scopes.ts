import { ForbiddenError } from '../errors.ts';

/** What a credential allows, from the least to the most. Each scope includes those before it. */
export const SCOPES = ['READ', 'EDIT', 'ADMIN'] as const;

export type Scope = (typeof SCOPES)[number];

/** The highest scope and all below it; empty for none. */
export function withIncluded(scopes: readonly Scope[]): readonly Scope[] {
  const highest = Math.max(-1, ...scopes.map((scope) => SCOPES.indexOf(scope)));
  return SCOPES.slice(0, highest + 1);
}

/** The scopes among words such as `edit` or `retouch:edit`; other words mean nothing here. */
export function readScopes(words: readonly string[]): readonly Scope[] {
  const names = words.map((word) => word.replace(/^retouch[:.]/i, '').toUpperCase());
  return withIncluded(SCOPES.filter((scope) => names.includes(scope)));
}

/** The scopes of words from settings. */
export const toScopes = (words: readonly Lowercase<Scope>[]): readonly Scope[] => readScopes(words);

/** @throws ForbiddenError */
export function assertScopes(scopes: readonly Scope[]): void {
  if (scopes.length > 0) return;
  throw new ForbiddenError(
    'The credential has none of the scopes read, edit and admin, so it allows nothing.',
  );
}
