import { visibleTo } from '../auth/visible.ts';
import { builder } from './builder.ts';

export const Prompt = builder.prismaNode('Prompt', {
  description:
    'A prompt: a text that describes an edit. Each distinct text is stored once for each owner.',
  id: { field: 'id', description: 'Global id.' },
  select: { id: true },
  findUnique: (id, { viewer }) => ({ id, ...visibleTo(viewer) }),
  fields: (t) => ({
    text: t.exposeString('text', { description: 'The text, exactly as given.' }),
    uses: t.exposeInt('uses', {
      description: 'Number of edits in the history that use the prompt.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'Time of first use; the same as `firstUsedAt`.',
    }),
    firstUsedAt: t.expose('createdAt', { type: 'DateTime', description: 'Time of first use.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', description: 'Time of last use.' }),
  }),
});
