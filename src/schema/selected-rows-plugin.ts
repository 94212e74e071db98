import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type SchemaTypes,
} from '@pothos/core';
import type { GraphQLFieldResolver } from 'graphql';
import { SelectedRow } from '../edits/history/edit-rows.ts';
import { encodeGlobalId } from '../public-ids/global-id.ts';
import { isNodeType } from './node-rows.ts';

/**
 * Makes the fields of long lists cheap. A page of 100 edits has thousands of fields, and the time
 * goes into what Pothos does for each.
 */
export const SELECTED_ROWS_PLUGIN = 'selectedRows';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      selectedRows: SelectedRowsPlugin<Types>;
    }
  }
}

class SelectedRowsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    field: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    const { parentType, name } = field;
    // Pothos's own is async, which makes everything above it async, too.
    if (name === 'id' && isNodeType(parentType)) {
      return (row) => encodeGlobalId(parentType, (row as { readonly id: string }).id);
    }
    const plain = field.kind === 'PrismaObject' ? field.resolve : undefined;
    if (plain === undefined) return resolver;
    // Pothos looks up whether a query has loaded the field; such a row has all that was selected.
    return (row, ...rest) =>
      row instanceof SelectedRow ? plain(row, ...rest) : resolver(row, ...rest);
  }
}

SchemaBuilder.registerPlugin(SELECTED_ROWS_PLUGIN, SelectedRowsPlugin);
