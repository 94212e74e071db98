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
    export interface BaseTypeOptions<Types extends SchemaTypes = SchemaTypes> {
      /** Federation's `@tag`, which the plugin applies to every kind of type but declares for some. */
      tag?: string[] | string;
    }
    export interface Plugins<Types extends SchemaTypes> {
      subgraph: SubgraphPlugin<Types>;
    }
  }
}

/**
 * Fields of `Query` that no two subgraphs may define: a gateway cannot route `node` and `nodes`, and
 * the viewer belongs to the subgraph that owns users.
 */
const STANDALONE_FIELDS = ['node', 'nodes', 'viewer'];

class SubgraphPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>) {
    const isStandalone = field.parentType === 'Query' && STANDALONE_FIELDS.includes(field.name);
    return this.options.isSubgraph && isStandalone ? null : field;
  }

  /** Composition does not support `@oneOf`. Resolvers check it too, so validation is unchanged. */
  override onTypeConfig(type: PothosTypeConfig) {
    return this.options.isSubgraph && type.graphqlKind === 'InputObject'
      ? { ...type, isOneOf: false }
      : type;
  }
}

SchemaBuilder.registerPlugin(SUBGRAPH_PLUGIN, SubgraphPlugin);
