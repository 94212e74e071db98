import { brandWithType, type OutputType, type SchemaTypes } from '@pothos/core';
import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from './context.ts';
import { isNodeType, type NodeRowOf, type NodeType } from './node-rows.ts';

/**
 * The node of that type and UUID with what is selected of it; null when it does not exist, or is not
 * the viewer's. However many a field loads, they take one statement for each type.
 */
export async function loadNode<Type extends NodeType>(
  type: Type,
  id: string,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<NodeRowOf[Type] | null> {
  const query = selectionOf(type, context, info);
  const [row = null] = await context.loaders.nodeRows(type, query, [id]);
  // Tells `Node.resolveType` which type it is.
  if (row !== null) brandWithType(row, type as OutputType<SchemaTypes>);
  return row;
}

/** The same for a decoded global id; null also for one of anything else. */
export async function loadAnyNode(
  { typename, id }: { readonly typename: string; readonly id: string },
  context: Context,
  info: GraphQLResolveInfo,
): Promise<object | null> {
  return isNodeType(typename) ? loadNode(typename, id, context, info) : null;
}

const selections = new WeakMap<GraphQLResolveInfo, Map<NodeType, object>>();

/** Worked out once for a field: it looks through all that is selected below. */
function selectionOf(type: NodeType, context: Context, info: GraphQLResolveInfo): object {
  const known = selections.get(info) ?? new Map<NodeType, object>();
  const selection = known.get(type) ?? queryFromInfo({ context, info, typeName: type });
  selections.set(info, known.set(type, selection));
  return selection;
}
