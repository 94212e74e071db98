import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  parse,
  visit,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * What one operation may ask for. A page of 100 edits with all their fields and pictures is a fifth
 * of the complexity, and what GraphiQL and Relay ask of the schema is a tenth of the tokens.
 */
export const QUERY_LIMITS = {
  /** Words and signs of the whole document: parsing and validation stay fast. */
  tokens: 4_000,
  /** Fields below each other. */
  depth: 15,
  /** Fields in all, each alias and each use of a fragment anew. */
  fields: 1_000,
  /** `as` names and directives in the document. */
  aliases: 100,
  directives: 50,
  /** Fields, times the lengths of the lists that they stand in. */
  complexity: 50_000,
} as const;

type Limit = keyof typeof QUERY_LIMITS;

/** Over every transport; what is too much is refused before any of it is run. */
export function useQueryLimits(): Plugin {
  const check = (args: ExecutionArgs, stop: (result: { errors: GraphQLError[] }) => void) => {
    const error = findExcess(args);
    if (error !== null) stop({ errors: [error] });
  };
  return {
    onParse({ setParseFn }) {
      setParseFn((source: string, options: object) =>
        parse(source, { ...options, maxTokens: QUERY_LIMITS.tokens }),
      );
    },
    onValidate({ params, setResult }) {
      // Before validation, which compares aliases and directives with each other.
      const error = findFlood(params.documentAST);
      if (error !== null) setResult([error]);
    },
    onExecute: ({ args, setResultAndStopExecution }) => check(args, setResultAndStopExecution),
    onSubscribe: ({ args, setResultAndStopExecution }) => check(args, setResultAndStopExecution),
  };
}

function findFlood(document: DocumentNode): GraphQLError | null {
  let aliases = 0;
  let directives = 0;
  visit(document, {
    Field: ({ alias }) => {
      if (alias !== undefined) aliases += 1;
    },
    Directive: () => {
      directives += 1;
    },
  });
  return excess('aliases', aliases) ?? excess('directives', directives);
}

/** Not part of validation: its results are kept for a document, whatever the variables. */
function findExcess({
  document,
  schema,
  operationName,
  variableValues,
}: ExecutionArgs): GraphQLError | null {
  const operation = getOperationAST(document, operationName);
  // Execution says so.
  if (!operation) return null;
  const size = sizeOf(operation, document, schema, variableValues ?? {});
  if (size instanceof GraphQLError) return size;
  const { depth, breadth, complexity } = size;
  return excess('depth', depth) ?? excess('fields', breadth) ?? excess('complexity', complexity);
}

/** An error: a variable or an id is wrong, so that nothing can be said of it. */
function sizeOf(
  operation: OperationDefinitionNode,
  document: DocumentNode,
  schema: GraphQLSchema,
  variables: Record<string, unknown>,
): ReturnType<typeof complexityFromQuery> | GraphQLError {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  try {
    return complexityFromQuery(
      { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] },
      { schema, variables },
    );
  } catch (error) {
    if (error instanceof GraphQLError) return withCode(error);
    throw error;
  }
}

function withCode(error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions, path } = error;
  const extensions = { code: 'BAD_USER_INPUT', ...error.extensions };
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}

function excess(limit: Limit, found: number): GraphQLError | null {
  const most = QUERY_LIMITS[limit];
  if (found <= most) return null;
  return new GraphQLError(
    `The operation is too large: its ${limit} may be at most ${most}, and ${found > 1e12 ? 'many more' : found} were found. Ask for shorter pages, or for less at once.`,
    { extensions: { code: 'QUERY_TOO_LARGE', limit, most, http: { status: 400 } } },
  );
}
