import { join } from 'node:path';

export const EXAMPLES = join(import.meta.dirname, '../../examples');

/** Those that have packages of their own, and types generated from schema.graphql. */
export const INSTALLED_EXAMPLES = ['apollo', 'urql', 'relay', 'node'];

/** A module of an example. Nothing is known of its types here: `tsc` checks each example by itself. */
export function importExample(
  path: string,
): Promise<Record<string, ReturnType<typeof JSON.parse>>> {
  return import(join(EXAMPLES, path));
}
