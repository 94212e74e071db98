import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type PothosTypeConfig,
  type SchemaTypes,
} from '@pothos/core';

/** The differences of the subgraph that Pothos's federation plugin does not handle. */
export const SUBGRAPH_PLUGIN = 'subgraph';

declare global {
  export namespace PothosSchemaTypes {
    export interface BuildSchemaOptions<Types extends SchemaTypes> {
      /** Whether to build the subgraph. @default false */
      isSubgraph?: boolean;
    }
    export interface Plugins<Types extends SchemaTypes> {
      subgraph: SubgraphPlugin<Types>;
    }
  }
}

/** A gateway cannot route these Relay fields, so no two subgraphs may define them. */
const RELAY_ROOTS = ['node', 'nodes'];

class SubgraphPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>) {
    const isRelayRoot = field.parentType === 'Query' && RELAY_ROOTS.includes(field.name);
    return this.options.isSubgraph && isRelayRoot ? null : field;
  }

  /** Composition does not support `@oneOf`. Resolvers check it too, so validation is unchanged. */
  override onTypeConfig(type: PothosTypeConfig) {
    return this.options.isSubgraph && type.graphqlKind === 'InputObject'
      ? { ...type, isOneOf: false }
      : type;
  }
}

SchemaBuilder.registerPlugin(SUBGRAPH_PLUGIN, SubgraphPlugin);
