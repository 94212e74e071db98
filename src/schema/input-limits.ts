import {
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  typeFromAST,
  valueFromASTUntyped,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/** Limits on the arguments and variables of an operation. */
export const INPUT_LIMITS = {
  /** Items of one list. */
  listItems: 100,
  /** Items of all lists in the variables. */
  allItems: 2_000,
  /** Nesting depth of objects and lists in a value without a schema. */
  jsonDepth: 32,
  /** Fields of one input object, known or not. */
  objectFields: 100,
  /** Characters of an enum value or of a field of an input object. */
  nameCharacters: 256,
  /** Characters of the keys and strings of all such values, plus one for each list item. */
  jsonCharacters: 262_144,
} as const;

type Limit = keyof typeof INPUT_LIMITS;

/** The path of a value that exceeds a limit, such as `input.images`, with an error message. */
export interface InputExcess {
  readonly path: string;
  readonly limit: Limit;
  readonly message: string;
}

type Path = readonly (string | number)[];

/**
 * The first excess in the variables of an operation, as sent by the client. Call it before coercion,
 * which reports every invalid item of a list.
 */
export function findVariableExcess(
  { variableDefinitions = [] }: OperationDefinitionNode,
  schema: GraphQLSchema,
  variables: Readonly<Record<string, unknown>>,
): InputExcess | null {
  const check = createCheck();
  for (const { variable, type: node } of variableDefinitions) {
    const name = variable.name.value;
    const type = typeFromAST(schema, node);
    if (!isInputType(type) || !Object.hasOwn(variables, name)) continue;
    const excess = check(type, variables[name], [name]);
    if (excess !== null) return excess;
  }
  return null;
}

/** The same for the literals of a document: arguments and default values. */
export function findLiteralExcess(
  document: DocumentNode,
  schema: GraphQLSchema,
): InputExcess | null {
  const check = createCheck();
  const types = new TypeInfo(schema);
  let found: InputExcess | null = null;
  visit(
    document,
    visitWithTypeInfo(types, {
      Argument({ name, value }) {
        const type = types.getArgument()?.type;
        if (type) found ??= check(type, valueFromASTUntyped(value), [name.value]);
      },
      VariableDefinition({ variable, defaultValue }) {
        const type = types.getInputType();
        if (type && defaultValue) {
          found ??= check(type, valueFromASTUntyped(defaultValue), [variable.name.value]);
        }
      },
    }),
  );
  return found;
}

/**
 * The same for arguments that contain variables, with coerced values: a variable may be used in many
 * places and deeply nested.
 */
export function findArgumentExcess(
  document: DocumentNode,
  schema: GraphQLSchema,
  variables: Readonly<Record<string, unknown>>,
): InputExcess | null {
  const types = new TypeInfo(schema);
  const check = createCheck();
  let found: InputExcess | null = null;
  visit(
    document,
    visitWithTypeInfo(types, {
      Argument({ name, value }) {
        const type = types.getArgument()?.type;
        if (!type || value.kind === Kind.VARIABLE || found !== null) return;
        found = check(type, valueFromASTUntyped(value, variables), [name.value]);
      },
    }),
  );
  return found;
}

/** The same for one value of a type. */
export function findInputExcess(
  type: GraphQLInputType,
  value: unknown,
  name: string,
): InputExcess | null {
  return createCheck()(type, value, [name]);
}

function createCheck() {
  let items = 0;
  let characters = 0;

  /** Iterative, because the nesting depth is limited only by the length of the body. */
  function checkJson(value: object, path: Path): InputExcess | null {
    let level: object[] = [value];
    for (let depth = 1; level.length > 0; depth += 1) {
      if (depth > INPUT_LIMITS.jsonDepth) return excess(path, 'jsonDepth', 'is nested deeper');
      const next: object[] = [];
      for (const container of level) {
        for (const [key, part] of Object.entries(container)) {
          characters += Array.isArray(container) ? 1 : key.length;
          if (typeof part === 'string') characters += part.length;
          if (isPlain(part)) next.push(part);
          if (characters > INPUT_LIMITS.jsonCharacters) {
            return excess(path, 'jsonCharacters', 'and the JSON before it have more');
          }
        }
      }
      level = next;
    }
    return null;
  }

  return function check(type: GraphQLInputType, value: unknown, path: Path): InputExcess | null {
    if (isNonNullType(type)) return check(type.ofType, value, path);
    if (isListType(type) && Array.isArray(value)) {
      items += value.length;
      if (value.length > INPUT_LIMITS.listItems) {
        return excess(path, 'listItems', `has ${value.length} items`);
      }
      if (items > INPUT_LIMITS.allItems) {
        return excess(path, 'allItems', 'and the lists before it have more items');
      }
      return first(value, (item, index) => check(type.ofType, item, [...path, index]));
    }
    if (isListType(type)) return check(type.ofType, value, path);
    if (isEnumType(type) && isLongName(value)) {
      return excess(path, 'nameCharacters', 'has more');
    }
    if (!isPlain(value)) return null;
    if (!isInputObjectType(type)) return checkJson(value, path);
    // Coercion compares each unknown name with all known names.
    const names = Object.keys(value);
    if (names.length > INPUT_LIMITS.objectFields) {
      return excess(path, 'objectFields', `has ${names.length} fields`);
    }
    if (names.some(isLongName)) return excess(path, 'nameCharacters', 'has a longer one');
    return first(Object.values(type.getFields()), ({ name, type: fieldType }) =>
      Object.hasOwn(value, name)
        ? check(fieldType, Reflect.get(value, name), [...path, name])
        : null,
    );
  };
}

function isLongName(value: unknown): boolean {
  return typeof value === 'string' && value.length > INPUT_LIMITS.nameCharacters;
}

/** True for JSON objects and lists; a file of a multipart request has its own class. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Array.isArray(value);
}

const LIMIT_TEXT: Record<Limit, string> = {
  listItems: `a list may have at most ${INPUT_LIMITS.listItems} items`,
  allItems: `all lists of an operation may have at most ${INPUT_LIMITS.allItems} items together`,
  jsonDepth: `JSON may be nested at most ${INPUT_LIMITS.jsonDepth} levels deep`,
  objectFields: `an object may have at most ${INPUT_LIMITS.objectFields} fields`,
  nameCharacters: `the name of a field or an enum value may have at most ${INPUT_LIMITS.nameCharacters} characters`,
  jsonCharacters: `JSON may have at most ${INPUT_LIMITS.jsonCharacters} characters in one operation`,
};

function excess(path: Path, limit: Limit, found: string): InputExcess {
  const place = path.reduce<string>(
    (text, step) =>
      typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`,
    '',
  );
  return {
    path: place,
    limit,
    message: `${place} is too large: ${LIMIT_TEXT[limit]}; it ${found}.`,
  };
}

function first<Item>(
  items: readonly Item[],
  look: (item: Item, index: number) => InputExcess | null,
): InputExcess | null {
  for (const [index, item] of items.entries()) {
    const found = look(item, index);
    if (found !== null) return found;
  }
  return null;
}
