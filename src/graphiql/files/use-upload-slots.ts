import { useGraphiQL } from '@graphiql/react';
import { useMemo, useSyncExternalStore } from 'react';
import { pathKey, sentFiles } from '../transport/multipart.ts';
import { usePage } from '../workbench/page-context.ts';
import { useEditors } from '../workbench/use-editors.ts';
import { useOperation } from '../workbench/use-operation.ts';
import { parseVariables, withEntry, withoutValue, withValue } from './edit-variables.ts';
import { blankOf, type Slot, type SlotGroup, uploadSlots } from './upload-slots.ts';

/** The active operation's file slots, their files, and the actions on them. */
export interface UploadSlots {
  /** Whether the schema is loaded; before that, no operation has slots. */
  readonly areKnown: boolean;
  readonly groups: readonly SlotGroup[];
  /** The variables are invalid, so nothing can be attached. */
  readonly areVariablesBroken: boolean;
  /** What the next run sends there. */
  fileAt(slot: Slot): File | null;
  /** Attaches the first file; in a list, the others as in `takeAll`. */
  attach(group: SlotGroup, slot: Slot, files: readonly File[]): void;
  /** Removes the entry of a list, or the value of another slot. */
  remove(group: SlotGroup, slot: Slot): void;
  addEntry(group: SlotGroup): void;
  /** Whether `takeAll` has room for this many files. */
  fits(count: number): boolean;
  /** Fills the free slots in order, then adds to the first list; ignores files that do not fit. */
  takeAll(files: readonly File[]): void;
  /** Uses a stored image as input: in the first free slot, or as another entry. */
  placeStored(id: string): boolean;
}

export function useUploadSlots(): UploadSlots {
  const { attachments } = usePage();
  const schema = useGraphiQL((state) => state.schema);
  const { operation, variables } = useOperation();
  const { setVariables } = useEditors();
  const attached = useSyncExternalStore(attachments.subscribe, attachments.active);

  const values = useMemo(() => parseVariables(variables), [variables]);
  const groups = useMemo(
    () => (schema && operation && values ? uploadSlots(schema, operation, values) : []),
    [schema, operation, values],
  );
  const sent = useMemo(() => sentFiles(attached, values), [attached, values]);
  const fileAt = (slot: Slot) =>
    sent.find(({ path }) => pathKey(path) === pathKey(slot.path))?.file ?? null;
  const isFree = (slot: Slot) => fileAt(slot) === null && slot.storedId === null;
  const inputs = groups.filter(({ isMask }) => !isMask);
  const freeInputs = inputs.flatMap((group) =>
    group.slots.filter(isFree).map((slot) => ({ group, slot })),
  );

  const list = inputs.find(({ isList }) => isList);

  function place(files: readonly File[], free: readonly { group: SlotGroup; slot: Slot }[]) {
    let text = variables;
    for (const [index, file] of files.entries()) {
      const next = free[index];
      if (next !== undefined) {
        attachments.set(next.slot.path, file);
        text = withValue(text, next.slot.entry, blankOf(next.group));
      } else if (list !== undefined) {
        const added = withEntry(text, list.path, blankOf(list));
        const entry = [...list.path, added.index];
        attachments.set(list.fileField === null ? entry : [...entry, list.fileField], file);
        text = added.text;
      }
    }
    setVariables(text);
  }

  return {
    areKnown: Boolean(schema),
    groups,
    areVariablesBroken: values === null,
    fileAt,
    attach(group, slot, files) {
      const others = freeInputs.filter((free) => pathKey(free.slot.path) !== pathKey(slot.path));
      place(group.isList ? files : files.slice(0, 1), [{ group, slot }, ...others]);
    },
    remove(group, slot) {
      attachments.remove(slot.path);
      const index = slot.entry.at(-1);
      if (group.isList && typeof index === 'number') {
        attachments.removeEntry(group.path, index);
        setVariables(withoutValue(variables, slot.entry));
      } else {
        setVariables(withValue(variables, slot.entry, group.isRequired ? blankOf(group) : null));
      }
    },
    addEntry(group) {
      setVariables(withEntry(variables, group.path, blankOf(group)).text);
    },
    fits: (count) => list !== undefined || count <= freeInputs.length,
    takeAll: (files) => place(files, freeInputs),
    placeStored(id) {
      const free = freeInputs.find(({ group }) => group.takesIds);
      if (free) setVariables(withValue(variables, free.slot.entry, { id }));
      else if (list?.takesIds) setVariables(withEntry(variables, list.path, { id }).text);
      return free !== undefined || list?.takesIds === true;
    },
  };
}
