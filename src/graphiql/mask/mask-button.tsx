import { useState } from 'react';
import type { SlotGroup } from '../files/upload-slots.ts';
import type { UploadSlots } from '../files/use-upload-slots.ts';
import { BrushIcon } from '../workbench/icons.tsx';
import { MaskDialog } from './mask-dialog.tsx';

/** Opens the brush on the operation's first image, to which a mask applies. */
export function MaskButton({ group, slots }: { group: SlotGroup; slots: UploadSlots }) {
  const [isOpen, setIsOpen] = useState(false);
  const first = slots.groups.find(({ isMask }) => !isMask)?.slots[0] ?? null;
  const stored = first?.storedId ? `/images/${encodeURIComponent(first.storedId)}` : null;
  const source = (first && slots.fileAt(first)) ?? stored;
  const [slot] = group.slots;
  return (
    <>
      <button
        className="retouch-button"
        disabled={source === null}
        onClick={() => setIsOpen(true)}
        title={source === null ? 'Attach an image first' : undefined}
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
