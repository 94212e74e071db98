import { editOperation } from '../examples.ts';
import { MaskButton } from '../mask/mask-button.tsx';
import { pathName } from '../transport/multipart.ts';
import { PlusIcon } from '../workbench/icons.tsx';
import { usePage } from '../workbench/page-context.ts';
import { Panel, Problem } from '../workbench/panel.tsx';
import { useEditors } from '../workbench/use-editors.ts';
import { SlotCard } from './slot-card.tsx';
import type { SlotGroup } from './upload-slots.ts';
import { type UploadSlots, useUploadSlots } from './use-upload-slots.ts';
import './files.css';

/** The file slots of the active tab's operation. */
export function FilesPanel() {
  const slots = useUploadSlots();
  return (
    <Panel title="Files">
      {slots.areVariablesBroken ? (
        <Problem>The variables are not valid JSON, so no file can be attached.</Problem>
      ) : slots.groups.length > 0 ? (
        <>
          <p className="retouch-faint">
            Choose, drop or paste PNG, JPEG or WebP. They go out with the next run.
          </p>
          {slots.groups.map((group) => (
            <Group group={group} key={pathName(group.path)} slots={slots} />
          ))}
        </>
      ) : (
        slots.areKnown && <NoSlots />
      )}
    </Panel>
  );
}

function Group({ group, slots }: { group: SlotGroup; slots: UploadSlots }) {
  const name = pathName(group.path);
  return (
    <fieldset className="retouch-slots">
      <legend>
        <code>{name}</code>
        {!group.isRequired && !group.isList && <span className="retouch-faint"> optional</span>}
      </legend>
      <ul>
        {group.slots.map((slot) => {
          const file = slots.fileAt(slot);
          const isEmpty = file === null && slot.storedId === null;
          return (
            <SlotCard
              file={file}
              key={pathName(slot.path)}
              name={pathName(slot.path)}
              isMultiple={group.isList}
              onFiles={(picked) => slots.attach(group, slot, picked)}
              onRemove={isEmpty && !group.isList ? null : () => slots.remove(group, slot)}
              slot={slot}
            />
          );
        })}
      </ul>
      {group.isList && (
        <button
          className="retouch-button"
          onClick={() => slots.addEntry(group)}
          title={`Add an entry to ${name}`}
          type="button"
        >
          <PlusIcon /> Add a place
        </button>
      )}
      {group.isMask && <MaskButton group={group} slots={slots} />}
    </fieldset>
  );
}

function NoSlots() {
  const { sandbox } = usePage();
  const { openTab } = useEditors();
  return (
    <div className="retouch-empty">
      <p>This operation has no file variables.</p>
      <button
        className="retouch-button"
        onClick={() => openTab(editOperation({ sandbox }))}
        type="button"
      >
        Open an edit in a new tab
      </button>
    </div>
  );
}
