import { useEffect, useRef, useState } from 'react';
import { editOperation } from '../examples.ts';
import { RemoveIcon } from '../workbench/icons.tsx';
import { Overlay } from '../workbench/overlay.tsx';
import { usePage } from '../workbench/page-context.ts';
import { FILES_TITLE, showPanel } from '../workbench/show-panel.ts';
import { useEditors } from '../workbench/use-editors.ts';
import { imagesOf, isFileDrag, othersOf } from './images-of.ts';
import { useUploadSlots } from './use-upload-slots.ts';

/**
 * Accepts images that are dropped or pasted anywhere on the page: into free slots of the operation,
 * or into a new tab with an edit if there are none.
 */
export function FileDrop() {
  const { sandbox } = usePage();
  const slots = useUploadSlots();
  const { openTab } = useEditors();
  const [isDragging, setIsDragging] = useState(false);
  const [waiting, setWaiting] = useState<readonly File[]>([]);
  const [refused, setRefused] = useState<readonly string[]>([]);

  const take = (files: File[], others: string[]) => {
    setRefused(others);
    if (files.length === 0) return;
    showPanel(FILES_TITLE);
    setWaiting((before) => [...before, ...files]);
  };
  // Until the schema is loaded, and then until a new tab's operation was parsed.
  const canPlace = waiting.length > 0 && slots.areKnown;
  const fits = canPlace && slots.fits(waiting.length);
  const needsTab = canPlace && !fits;
  useEffect(() => {
    if (!fits) return;
    slots.takeAll(waiting);
    setWaiting([]);
  }, [fits, waiting, slots]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: one tab for each time there is no room.
  useEffect(() => {
    if (needsTab) openTab(editOperation({ sandbox }));
  }, [needsTab]);
  useDocumentDrops(take, setIsDragging);

  return (
    <Overlay>
      {isDragging && (
        <div className="retouch-drop" role="status">
          Drop images to attach them
        </div>
      )}
      {refused.length > 0 && <Refused names={refused} onClose={() => setRefused([])} />}
    </Overlay>
  );
}

function Refused({ names, onClose }: { names: readonly string[]; onClose: () => void }) {
  return (
    <div className="retouch-notice" role="alert">
      <span>Only PNG, JPEG and WebP images can be attached. Skipped: {names.join(', ')}</span>
      <button aria-label="Close" className="retouch-icon-button" onClick={onClose} type="button">
        <RemoveIcon />
      </button>
    </div>
  );
}

type Take = (images: File[], othersNames: string[]) => void;

function useDocumentDrops(take: Take, setIsDragging: (is: boolean) => void) {
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });
  useEffect(() => {
    const listening = new AbortController();
    const on = <Type extends keyof DocumentEventMap>(
      type: Type,
      listener: (event: DocumentEventMap[Type]) => void,
      options: AddEventListenerOptions = {},
    ) => document.addEventListener(type, listener, { ...options, signal: listening.signal });

    on('dragover', (event) => {
      if (!isFileDrag(event.dataTransfer)) return;
      // Otherwise the browser would leave the page to show the file.
      event.preventDefault();
      setIsDragging(true);
    });
    on('dragleave', (event) => event.relatedTarget === null && setIsDragging(false));
    on('drop', () => setIsDragging(false), { capture: true });
    on('drop', (event) => {
      if (!isFileDrag(event.dataTransfer)) return;
      event.preventDefault();
      // A slot handles drops on itself.
      const isOnSlot = event.target instanceof Element && event.target.closest('.retouch-slot');
      const images = isOnSlot ? [] : imagesOf(event.dataTransfer);
      latest.current(images, othersOf(event.dataTransfer));
    });
    on('paste', (event) => {
      const images = imagesOf(event.clipboardData);
      if (images.length === 0) return;
      event.preventDefault();
      latest.current(images, othersOf(event.clipboardData));
    });
    return () => listening.abort();
  }, [setIsDragging]);
}
