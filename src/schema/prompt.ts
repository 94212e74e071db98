import { builder } from './builder.ts';

export const Prompt = builder.prismaNode('Prompt', {
  description: 'What to change, in words. Kept once, however often it is used.',
  id: { field: 'id', description: 'Global id.' },
  findUnique: (id, { viewer }) => ({ id, ownerId: viewer.ownerId }),
  fields: (t) => ({
    text: t.exposeString('text', { description: 'The words, exactly as they were given.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'First use.' }),
  }),
});
