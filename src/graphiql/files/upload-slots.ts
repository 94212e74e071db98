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

/** One place for a file in an operation's variables. */
export interface Slot {
  /** Path of the file. */
  readonly path: Path;
  /** Path that is removed with it: a list entry, or the object around the file. */
  readonly entry: Path;
  /** The stored image whose id is there instead of a file. */
  readonly storedId: string | null;
}

/** Slots that belong together: a single one, or the entries of a list. */
export interface SlotGroup {
  readonly path: Path;
  /** Whether another entry may be added. */
  readonly isList: boolean;
  /** Whether the operation requires it. */
  readonly isRequired: boolean;
  /** Whether it is a mask, which belongs to the first image. */
  readonly isMask: boolean;
  /** Path of the file within an entry; null if the entry is the file. */
  readonly fileField: string | null;
  /** Whether it accepts `{ id }`, too. */
  readonly takesIds: boolean;
  readonly slots: readonly Slot[];
}

/** The placeholder in the variables for a file that is sent with the request. */
export function blankOf({ fileField }: SlotGroup): unknown {
  return fileField === null ? null : { [fileField]: null };
}

/**
 * Finds the `Upload`s in an operation's variables with their current values, including those in
 * input objects and in every list entry. A missing object counts as empty, except within another
 * one of its type.
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

/** The only file field of an input object; null if the type has no such field. */
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
