import { useState } from 'react';
import type { SlotGroup } from '../files/upload-slots.ts';
import { useStoredUrl } from '../files/use-stored-url.ts';
import type { UploadSlots } from '../files/use-upload-slots.ts';
import { BrushIcon } from '../workbench/icons.tsx';
import { MaskDialog } from './mask-dialog.tsx';

/** Opens the brush on the operation's first image, to which a mask applies. */
export function MaskButton({ group, slots }: { group: SlotGroup; slots: UploadSlots }) {
  const [isOpen, setIsOpen] = useState(false);
  const first = slots.groups.find(({ isMask }) => !isMask)?.slots[0] ?? null;
  const file = first && slots.fileAt(first);
  const storedId = file ? null : (first?.storedId ?? null);
  const stored = useStoredUrl(isOpen ? storedId : null);
  const isEmpty = !file && storedId === null;
  const source = file ?? stored;
  const [slot] = group.slots;
  return (
    <>
      <button
        className="retouch-button"
        disabled={isEmpty}
        onClick={() => setIsOpen(true)}
        title={isEmpty ? 'Attach an image first' : undefined}
        type="button"
      >
        <BrushIcon /> Paint a mask…
      </button>
      {isOpen && source && slot && (
        <MaskDialog
          onClose={() => setIsOpen(false)}
          onDone={(mask) => slots.attach(group, slot, [mask])}
          source={source}
        />
      )}
    </>
  );
}
