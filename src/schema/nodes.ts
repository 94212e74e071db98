import { brandWithType, type OutputType, type SchemaTypes } from '@pothos/core';
import { queryFromInfo } from '@pothos/plugin-prisma';
import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from './context.ts';
import { isNodeType, type NodeRowOf, type NodeType } from './node-rows.ts';

/**
 * The node of the given type and UUID with its selected fields; null if it does not exist or belongs to
 * another owner. All nodes that a field loads are batched into one statement for each type.
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

/** The same for a decoded global id; null also for other types. */
export async function loadAnyNode(
  { typename, id }: { readonly typename: string; readonly id: string },
  context: Context,
  info: GraphQLResolveInfo,
): Promise<object | null> {
  return isNodeType(typename) ? loadNode(typename, id, context, info) : null;
}

const selections = new WeakMap<GraphQLResolveInfo, Map<NodeType, object>>();

/** Computed once for each field, because it traverses the whole selection. */
function selectionOf(type: NodeType, context: Context, info: GraphQLResolveInfo): object {
  const known = selections.get(info) ?? new Map<NodeType, object>();
  const selection = known.get(type) ?? queryFromInfo({ context, info, typeName: type });
  selections.set(info, known.set(type, selection));
  return selection;
}
