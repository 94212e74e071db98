import { builder } from './builder.ts';

export const Prompt = builder.prismaNode('Prompt', {
  description: 'What to change, in words. Kept once, however often it is used.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, ownerId: viewer.ownerId }),
  fields: (t) => ({
    text: t.exposeString('text', { description: 'The words, exactly as they were given.' }),
    uses: t.exposeInt('uses', { description: 'How many edits of the history have it.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'First use; the same as `firstUsedAt`.',
    }),
    firstUsedAt: t.expose('createdAt', { type: 'DateTime', description: 'First use.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', description: 'Last use.' }),
  }),
});
