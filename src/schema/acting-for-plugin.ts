import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type SchemaTypes,
} from '@pothos/core';
import {
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  getNamedType,
  isInputObjectType,
} from 'graphql';
import { asOwner } from '../auth/viewer.ts';
import { auditorOf } from './auditor.ts';
import type { Context } from './context.ts';

/** Runs mutations whose input has `actingFor` with the owner whom it names as the viewer. */
export const ACTING_FOR_PLUGIN = 'actingFor';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      actingFor: ActingForPlugin<Types>;
    }
  }
}

interface Arguments {
  readonly input?: { readonly actingFor?: string | null };
}

class ActingForPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { parentType, name }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (parentType !== 'Mutation') return resolver;
    return async (parent, args: Arguments, given, info) => {
      if (!isForOneOwner(info)) return resolver(parent, args, given, info);
      const context = given as unknown as Context;
      const ownerId = args.input?.actingFor;
      const viewer =
        ownerId == null
          ? // An admin changes only their own rows, unless they name another owner.
            asOwner(context.viewer)
          : await context.actFor(auditorOf(context), ownerId, name);
      return resolver(parent, args, { ...context, viewer } as unknown as typeof given, info);
    };
  }
}

/** Whether the mutation's input has `actingFor`. */
function isForOneOwner({ parentType, fieldName }: GraphQLResolveInfo): boolean {
  const input = parentType.getFields()[fieldName]?.args.find(({ name }) => name === 'input');
  const type = input && getNamedType(input.type);
  return isInputObjectType(type) && 'actingFor' in type.getFields();
}

SchemaBuilder.registerPlugin(ACTING_FOR_PLUGIN, ActingForPlugin);
