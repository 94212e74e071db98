import { complexityFromQuery } from '@pothos/plugin-complexity';
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  Lexer,
  type OperationDefinitionNode,
  Source,
  TokenKind,
  visit,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import {
  findArgumentExcess,
  findLiteralExcess,
  findVariableExcess,
  INPUT_LIMITS,
  type InputExcess,
} from '../../schema/input-limits.ts';

/**
 * Limits of one operation. A page of 100 edits with all their fields and images takes two fifths of
 * the complexity; the introspection of GraphiQL and Relay takes a tenth of the tokens.
 */
export const QUERY_LIMITS = {
  /** Tokens of the whole document, so that parsing and validation stay fast. */
  tokens: 4_000,
  /** Nested brackets of any kind, because the parser is recursive. */
  nesting: 100,
  /** Nested fields. */
  depth: 15,
  /** All fields, counting each alias and each use of a fragment. */
  fields: 1_000,
  /** Aliases and directives in the document. */
  aliases: 100,
  directives: 50,
  /** Fields and items of list arguments, times the lengths of the lists that contain them. */
  complexity: 25_000,
} as const;

type Limit = keyof typeof QUERY_LIMITS;

/** Of an operation that is known to be within the limits. */
const MAX_KEY_VARIABLES = 10;
const MAX_KEY_CHARACTERS = 1_000;

/** A client needs only a few errors to fix its variables; a list of wrong values has many. */
const MAX_VARIABLE_ERRORS = 5;
/** An error about a variable quotes its value. */
const MAX_MESSAGE_CHARACTERS = 1_000;

/**
 * Applies to every transport; an operation over a limit is rejected before execution. The text of
 * the document was checked when it was received (see PersistedOperations).
 */
export function useQueryLimits(): Plugin {
  /** Documents are parsed once, and most are sent again and again. */
  const floods = new WeakMap<DocumentNode, GraphQLError | 'NONE'>();
  /** What was accepted last: clients ask for a first page again and again. */
  const accepted = new WeakMap<DocumentNode, string>();
  const check = (args: ExecutionArgs, stop: (result: { errors: GraphQLError[] }) => void) => {
    const asked = operationKey(args);
    if (asked !== null && accepted.get(args.document) === asked) return;
    const errors = findErrors(args);
    if (errors.length > 0) stop({ errors });
    else if (asked !== null) accepted.set(args.document, asked);
  };
  return {
    onValidate({ params, setResult }) {
      // Before validation, which compares aliases and directives with each other.
      const document = params.documentAST;
      const error = floods.get(document) ?? findFlood(document, params.schema) ?? 'NONE';
      floods.set(document, error);
      if (error !== 'NONE') setResult([error]);
    },
    onExecute: ({ args, setResultAndStopExecution }) => check(args, setResultAndStopExecution),
    onSubscribe: ({ args, setResultAndStopExecution }) => check(args, setResultAndStopExecution),
  };
}

/**
 * Limits a document before it is parsed.
 * @throws GraphQLError with code QUERY_TOO_LARGE. Leaves invalid GraphQL to the parser.
 */
export function checkDocumentText(query: string): void {
  // A shorter text cannot exceed either limit, so most documents need no second pass.
  if (query.length <= QUERY_LIMITS.nesting) return;
  const lexer = new Lexer(new Source(query));
  let tokens = 0;
  let nesting = 0;
  try {
    for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
      tokens += 1;
      if (OPENING.has(token.kind)) nesting += 1;
      if (CLOSING.has(token.kind)) nesting -= 1;
      if (token.kind === TokenKind.NAME && token.end - token.start > INPUT_LIMITS.nameCharacters) {
        throw tooLarge(LONG_NAME, { limit: 'nameCharacters', most: INPUT_LIMITS.nameCharacters });
      }
      const error = excess('tokens', tokens) ?? excess('nesting', nesting);
      if (error !== null) throw error;
    }
  } catch (error) {
    if (error instanceof GraphQLError && error.extensions['code'] === TOO_LARGE) throw error;
  }
}

const TOO_LARGE = 'QUERY_TOO_LARGE';
/** Validation compares an unknown name with all known ones. */
const LONG_NAME = `A name in an operation may have at most ${INPUT_LIMITS.nameCharacters} characters.`;
const OPENING: ReadonlySet<TokenKind> = new Set([
  TokenKind.BRACE_L,
  TokenKind.BRACKET_L,
  TokenKind.PAREN_L,
]);
const CLOSING: ReadonlySet<TokenKind> = new Set([
  TokenKind.BRACE_R,
  TokenKind.BRACKET_R,
  TokenKind.PAREN_R,
]);

function findFlood(document: DocumentNode, schema: GraphQLSchema): GraphQLError | null {
  let fields = 0;
  let aliases = 0;
  let directives = 0;
  visit(document, {
    Field: ({ alias }) => {
      fields += 1;
      if (alias !== undefined) aliases += 1;
    },
    Directive: () => {
      directives += 1;
    },
  });
  return (
    excess('fields', fields) ??
    excess('aliases', aliases) ??
    excess('directives', directives) ??
    inputTooLarge(findLiteralExcess(document, schema))
  );
}

/** The operation of a document, and its variables if they are few and plain. Null: they are not. */
function operationKey({ operationName, variableValues }: ExecutionArgs): string | null {
  const values = Object.values(variableValues ?? {});
  const isPlain = values.every((value) => typeof value !== 'object' || value === null);
  if (!isPlain || values.length > MAX_KEY_VARIABLES) return null;
  const key = JSON.stringify([operationName, variableValues]);
  return key.length > MAX_KEY_CHARACTERS ? null : key;
}

/** Not part of validation, whose results are cached per document, whatever the variables. */
function findErrors({
  document,
  schema,
  operationName,
  variableValues,
}: ExecutionArgs): GraphQLError[] {
  const operation = getOperationAST(document, operationName);
  // Execution reports it.
  if (!operation) return [];
  const variables = variableValues ?? {};
  const tooLarge = inputTooLarge(findVariableExcess(operation, schema, variables));
  if (tooLarge !== null) return [tooLarge];
  const { errors = [], coerced = {} } = coerceVariables(operation, schema, variables);
  if (errors.length > 0) return errors.map(asRequestError);
  const inside = inputTooLarge(findArgumentExcess(document, schema, coerced));
  if (inside !== null) return [inside];
  try {
    const { depth, breadth, complexity } = sizeOf(operation, document, schema, variables);
    const error =
      excess('depth', depth) ?? excess('fields', breadth) ?? excess('complexity', complexity);
    return error === null ? [] : [error];
  } catch (error) {
    // A variable with a default value is null where null is not allowed.
    if (error instanceof GraphQLError) return [asRequestError(error)];
    throw error;
  }
}

/**
 * The executor would find these, too; here with a limit, and with a status, because the request was
 * not executed.
 */
function coerceVariables(
  { variableDefinitions = [] }: OperationDefinitionNode,
  schema: GraphQLSchema,
  variables: Readonly<Record<string, unknown>>,
): ReturnType<typeof getVariableValues> {
  const maxErrors = MAX_VARIABLE_ERRORS;
  return getVariableValues(schema, variableDefinitions, variables, { maxErrors });
}

function asRequestError({ message, nodes, source, positions, extensions }: GraphQLError) {
  const isLong = message.length > MAX_MESSAGE_CHARACTERS;
  return new GraphQLError(isLong ? `${message.slice(0, MAX_MESSAGE_CHARACTERS)}…` : message, {
    nodes,
    source,
    positions,
    extensions: { code: 'BAD_USER_INPUT', ...extensions, http: { status: 400, spec: true } },
  });
}

function sizeOf(
  operation: OperationDefinitionNode,
  document: DocumentNode,
  schema: GraphQLSchema,
  variables: Record<string, unknown>,
): ReturnType<typeof complexityFromQuery> {
  const fragments = document.definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION);
  return complexityFromQuery(
    { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] },
    { schema, variables },
  );
}

function excess(limit: Limit, found: number): GraphQLError | null {
  const most = QUERY_LIMITS[limit];
  if (found <= most) return null;
  return tooLarge(
    `The operation is too large: its ${limit} may be at most ${most}, but ${found > 1e12 ? 'many more' : found} were found. Request shorter pages or fewer fields.`,
    { limit, most },
  );
}

function inputTooLarge(found: InputExcess | null): GraphQLError | null {
  if (found === null) return null;
  const { message, limit, path } = found;
  return tooLarge(message, { limit, most: INPUT_LIMITS[limit], field: path });
}

/** 400 whatever the client accepts, unlike a validation error of GraphQL. */
function tooLarge(message: string, details: object): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: TOO_LARGE, ...details, http: { status: 400, spec: false } },
  });
}
