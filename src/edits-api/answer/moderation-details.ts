import type { ModerationDetails } from '../edits-api-error.ts';

/** Bounds on what an upstream may write. */
const MAX_CATEGORIES = 32;
const MAX_WORD_LENGTH = 64;

/**
 * `moderation_details: { moderation_stage, categories }` of an error, at most 32 categories of at most
 * 64 characters; longer ones are left out. Null if it has none.
 */
export function readModerationDetails(
  error: Readonly<Record<string, unknown>>,
): ModerationDetails | null {
  const details = error['moderation_details'];
  if (typeof details !== 'object' || details === null) return null;
  const stage: unknown = Reflect.get(details, 'moderation_stage');
  const categories: unknown = Reflect.get(details, 'categories');
  return {
    stage: isWord(stage) ? stage : null,
    categories: (Array.isArray(categories) ? categories : [])
      .filter(isWord)
      .slice(0, MAX_CATEGORIES),
  };
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= MAX_WORD_LENGTH;
}
