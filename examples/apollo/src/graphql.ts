import { initGraphQLTada } from 'gql.tada';
import type { introspection } from './schema.d.ts';

/** Makes typed documents: the types of variables and answers come of the schema. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { DateTime: string; Upload: Blob };
}>();
