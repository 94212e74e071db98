import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';

/** Sorted, so that a diff shows only real changes. */
export function printSorted(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
