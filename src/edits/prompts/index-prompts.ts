import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import type { Log } from '../../log.ts';
import { foldForSearch, searchGrams } from './search-text.ts';

const BATCH = 200;

/**
 * Makes the prompts findable that were written before there was a search. Nothing to do on every
 * start but the first of a release; two processes may do it at once.
 */
export async function indexPrompts({ prisma, log }: { prisma: PrismaClient; log: Log }) {
  let indexed = 0;
  for (;;) {
    const batch = await ofAllOwners(prisma).$queryRaw<
      { id: string; ownerId: string; text: string }[]
    >`
      SELECT prompt.id, prompt."ownerId", prompt.text
      FROM "PromptSearch" AS search JOIN "Prompt" AS prompt ON prompt.id = search."promptId"
      WHERE search.grams = '{}' LIMIT ${BATCH}`;
    if (batch.length === 0) break;
    await prisma.$transaction(
      batch.map(({ id, ownerId, text }) => {
        const folded = foldForSearch(text);
        return ofAllOwners(prisma).promptSearch.updateMany({
          where: { promptId: id },
          data: { text: folded, grams: searchGrams(ownerId, folded) },
        });
      }),
    );
    indexed += batch.length;
  }
  if (indexed > 0) log.info({ indexed }, 'prompts made findable');
}
