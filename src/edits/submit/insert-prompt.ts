import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { Transaction } from '../../database/database.ts';
import { foldForSearch, searchGrams } from '../prompts/search-text.ts';

/**
 * Writes a text once for each owner, and counts its use by an edit of the same transaction; answers
 * its id. One statement: what it is found by stands as soon as the prompt does.
 */
export async function savePrompt(
  tx: Pick<Transaction, '$queryRaw'>,
  ownerId: string,
  text: string,
): Promise<string> {
  const sha256 = createHash('sha256').update(text).digest('hex');
  const folded = foldForSearch(text);
  const [saved] = await tx.$queryRaw<{ id: string }[]>`
    WITH saved AS (
      INSERT INTO "Prompt" (id, "ownerId", sha256, text)
      VALUES (${uuid()}::uuid, ${ownerId}, ${sha256}, ${text})
      ON CONFLICT ("ownerId", sha256) DO UPDATE
        SET uses = "Prompt".uses + 1, "lastUsedAt" = excluded."lastUsedAt"
      RETURNING id
    ), search AS (
      INSERT INTO "PromptSearch" ("promptId", "ownerId", text, grams)
      SELECT id, ${ownerId}, ${folded}, ${searchGrams(ownerId, folded)}::int[] FROM saved
      ON CONFLICT DO NOTHING
    )
    SELECT id FROM saved`;
  if (saved === undefined) throw new Error('a prompt was not stored');
  return saved.id;
}
