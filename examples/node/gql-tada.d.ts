import type { introspection } from './schema.d.ts';

declare module 'gql.tada' {
  interface setupSchema {
    introspection: introspection;
    scalars: { DateTime: string; Upload: Blob };
  }
}
