import {
  type GraphQLInputType,
  type GraphQLSchema,
  getNullableType,
  isInputObjectType,
  isInputType,
  isLeafType,
  isListType,
  isNonNullType,
  isScalarType,
  type OperationDefinitionNode,
  typeFromAST,
} from 'graphql';
import { type Path, valueAt } from '../transport/multipart.ts';

/** One place in an operation's variables that takes a file. */
export interface Slot {
  /** Where the file goes. */
  readonly path: Path;
  /** What goes with it when it is removed: an entry of a list, or the object around the file. */
  readonly entry: Path;
  /** The image that is named there by its id in place of a file. */
  readonly storedId: string | null;
}

/** Slots that belong together: one alone, or the entries of a list. */
export interface SlotGroup {
  readonly path: Path;
  /** A further entry may be added. */
  readonly isList: boolean;
  /** The operation does not run without it. */
  readonly isRequired: boolean;
  /** An edit of it says where to edit: it goes with the first image. */
  readonly isMask: boolean;
  /** Where the file goes in an entry; null: the entry is the file. */
  readonly fileField: string | null;
  /** It takes `{ id }` too. */
  readonly takesIds: boolean;
  readonly slots: readonly Slot[];
}

/** What stands in the variables for a file that goes with the request. */
export function blankOf({ fileField }: SlotGroup): unknown {
  return fileField === null ? null : { [fileField]: null };
}

/**
 * The `Upload`s that an operation's variables lead to, as its values stand: those inside of input
 * objects too, and every entry of a list. An object that is not there counts as if it were empty,
 * but not within another of its own type.
 */
export function uploadSlots(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  variables: unknown,
): SlotGroup[] {
  return (operation.variableDefinitions ?? []).flatMap(({ variable, type }) => {
    const inputType = typeFromAST(schema, type as Parameters<typeof typeFromAST>[1]);
    const path = [variable.name.value];
    return isInputType(inputType) ? walk(inputType, variables, path, []) : [];
  });
}

function walk(type: GraphQLInputType, root: unknown, path: Path, within: string[]): SlotGroup[] {
  const inner = getNullableType(type);
  const value = valueAt(root, path);
  if (isUpload(inner)) return [groupOf(path, type, root, [{ at: path, entry: path }], false)];
  if (isListType(inner)) return walkList(inner.ofType, root, path, within);
  if (!isInputObjectType(inner)) return [];
  if (value === undefined && within.includes(inner.name)) return [];
  const fileField = directUpload(inner);
  if (fileField !== null) {
    return [groupOf(path, type, root, [{ at: [...path, fileField], entry: path }], false)];
  }
  return Object.values(inner.getFields()).flatMap((field) =>
    walk(field.type, root, [...path, field.name], [...within, inner.name]),
  );
}

function walkList(
  type: GraphQLInputType,
  root: unknown,
  path: Path,
  within: string[],
): SlotGroup[] {
  const item = getNullableType(type);
  const values = valueAt(root, path);
  const entries = (Array.isArray(values) ? values : []).map((_, index) => [...path, index]);
  const fileField = directUpload(item);
  if (!isUpload(item) && fileField === null) {
    return entries.flatMap((entry) => walk(item, root, entry, within));
  }
  const places = entries.map((entry) => ({
    at: fileField === null ? entry : [...entry, fileField],
    entry,
  }));
  return [groupOf(path, type, root, places, true)];
}

function groupOf(
  path: Path,
  type: GraphQLInputType,
  root: unknown,
  places: readonly { at: Path; entry: Path }[],
  isList: boolean,
): SlotGroup {
  const item = getNullableType(type);
  const fileField = directUpload(item);
  return {
    path,
    isList,
    isRequired: isNonNullType(type),
    fileField,
    isMask: path.findLast((key) => typeof key === 'string') === 'mask',
    takesIds: isInputObjectType(item) && 'id' in item.getFields(),
    slots: places.map(({ at, entry }) => {
      const id = valueAt(root, [...entry, 'id']);
      return {
        path: at,
        entry,
        storedId: typeof id === 'string' && id !== '' ? id : null,
      };
    }),
  };
}

/** The one file of an input object that holds nothing else to look into; null: it is no such. */
function directUpload(type: GraphQLInputType): string | null {
  if (!isInputObjectType(type)) return null;
  const fields = Object.values(type.getFields());
  const files = fields.filter((one) => isUpload(getNullableType(one.type)));
  const isFlat = fields.every((one) => isLeafType(getNullableType(one.type)));
  return isFlat && files.length === 1 ? (files[0]?.name ?? null) : null;
}

function isUpload(type: GraphQLInputType): boolean {
  return isScalarType(type) && type.name === 'Upload';
}
