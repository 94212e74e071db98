import {
  GraphQLSchema,
  isIntrospectionType,
  isScalarType,
  Kind,
  parse,
  print,
  visit,
} from 'graphql';

/** Types that other subgraphs define in the same way, and `User`, which they own. */
const SHARED = ['Node', 'PageInfo', 'User'];

/**
 * Puts `prefix` before the name of every type of a subgraph and its SDL, except root types, scalars,
 * federation's own types and SHARED ones. Changes the types of the given schema.
 */
export function prefixTypes(
  subgraph: GraphQLSchema,
  sdl: string,
  prefix: string,
): { subgraph: GraphQLSchema; sdl: string } {
  if (prefix === '') return { subgraph, sdl };
  const config = subgraph.toConfig();
  const roots: unknown[] = [config.query, config.mutation, config.subscription];
  const renamed = config.types.filter(
    (type) =>
      !roots.includes(type) &&
      !isScalarType(type) &&
      !isIntrospectionType(type) &&
      !type.name.startsWith('_') &&
      !SHARED.includes(type.name),
  );
  const names = new Set(renamed.map(({ name }) => name));
  for (const type of renamed) type.name = prefix + type.name;
  return {
    subgraph: new PrefixedSchema(config, prefix),
    sdl: renameInSdl(sdl, (name) => (names.has(name) ? prefix + name : name)),
  };
}

function renameInSdl(sdl: string, rename: (name: string) => string): string {
  const document = visit(parse(sdl), {
    enter(node) {
      if (!('name' in node) || node.name?.kind !== Kind.NAME) return undefined;
      const isType = node.kind === Kind.NAMED_TYPE || node.kind.endsWith('TypeDefinition');
      return isType
        ? { ...node, name: { ...node.name, value: rename(node.name.value) } }
        : undefined;
    },
  });
  return print(document);
}

/** Also finds types by their names without the prefix, which resolvers and Pothos use. */
class PrefixedSchema extends GraphQLSchema {
  readonly #prefix: string;

  constructor(config: ConstructorParameters<typeof GraphQLSchema>[0], prefix: string) {
    super(config);
    this.#prefix = prefix;
  }

  override getType(name: string) {
    return super.getType(name) ?? super.getType(this.#prefix + name);
  }
}
