import SchemaBuilder, {
  BasePlugin,
  type PothosOutputFieldConfig,
  type PothosTypeConfig,
  type SchemaTypes,
} from '@pothos/core';

/** What the subgraph has otherwise than the standalone schema, and Pothos's own plugin leaves. */
export const SUBGRAPH_PLUGIN = 'subgraph';

declare global {
  export namespace PothosSchemaTypes {
    export interface BuildSchemaOptions<Types extends SchemaTypes> {
      /** For a federation; absent: standalone. */
      isSubgraph?: boolean;
    }
    export interface Plugins<Types extends SchemaTypes> {
      subgraph: SubgraphPlugin<Types>;
    }
  }
}

/** Every Relay server has these, and no two subgraphs can: a gateway could not tell whom to ask. */
const RELAY_ROOTS = ['node', 'nodes'];

class SubgraphPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>) {
    const isRelayRoot = field.parentType === 'Query' && RELAY_ROOTS.includes(field.name);
    return this.options.isSubgraph && isRelayRoot ? null : field;
  }

  /** Composition knows no `@oneOf`. Resolvers check it as well, so nothing is let through. */
  override onTypeConfig(type: PothosTypeConfig) {
    return this.options.isSubgraph && type.graphqlKind === 'InputObject'
      ? { ...type, isOneOf: false }
      : type;
  }
}

SchemaBuilder.registerPlugin(SUBGRAPH_PLUGIN, SubgraphPlugin);
