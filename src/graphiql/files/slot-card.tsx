import { type DragEvent, useState } from 'react';
import { formatBytes } from '../workbench/format.ts';
import { RemoveIcon } from '../workbench/icons.tsx';
import { useObjectUrl } from '../workbench/use-object-url.ts';
import { FilePicker } from './file-picker.tsx';
import { imagesOf, isFileDrag } from './images-of.ts';
import type { Slot } from './upload-slots.ts';
import { useStoredUrl } from './use-stored-url.ts';

/** One slot for an image: its thumbnail and size, or ways to fill it. */
export function SlotCard(props: {
  name: string;
  slot: Slot;
  file: File | null;
  /** Whether other slots can take further files. */
  isMultiple: boolean;
  /** Null if there is nothing to remove. */
  onRemove: (() => void) | null;
  /** Called with at least one file. */
  onFiles: (files: File[]) => void;
}) {
  const { name, slot, file, isMultiple, onRemove, onFiles } = props;
  const [isOver, setIsOver] = useState(false);
  const drop = {
    onDragOver(event: DragEvent) {
      if (!isFileDrag(event.dataTransfer)) return;
      event.preventDefault();
      setIsOver(true);
    },
    onDragLeave: () => setIsOver(false),
    onDrop(event: DragEvent) {
      setIsOver(false);
      const images = imagesOf(event.dataTransfer);
      if (images.length > 0) onFiles(images);
    },
  };
  return (
    <li className={`retouch-slot${isOver ? ' is-over' : ''}`} {...drop}>
      <Thumbnail file={file} storedId={slot.storedId} />
      <div className="retouch-slot-words">
        <code>{name}</code>
        <Contents file={file} storedId={slot.storedId} />
        <FilePicker
          className="retouch-link"
          isMultiple={isMultiple}
          onPick={(picked) => picked.length > 0 && onFiles(picked)}
        >
          {file || slot.storedId ? 'Replace…' : 'Choose an image…'}
          <span className="retouch-hidden"> for {name}</span>
        </FilePicker>
      </div>
      {onRemove && (
        <button
          aria-label={`Remove ${name}`}
          className="retouch-icon-button"
          onClick={onRemove}
          type="button"
        >
          <RemoveIcon />
        </button>
      )}
    </li>
  );
}

function Thumbnail({ file, storedId }: { file: File | null; storedId: string | null }) {
  const url = useObjectUrl(file);
  const stored = useStoredUrl(storedId, '?w=128');
  const src = url ?? stored;
  return (
    <div className="retouch-slot-image">
      {src === null ? <span aria-hidden="true">?</span> : <img alt="" src={src} />}
    </div>
  );
}

function Contents({ file, storedId }: { file: File | null; storedId: string | null }) {
  if (file !== null) {
    return (
      <span className="retouch-slot-file" title={file.name}>
        <b>{file.name}</b> {formatBytes(file.size)}
      </span>
    );
  }
  if (storedId !== null) return <span className="retouch-faint">stored image</span>;
  return <span className="retouch-faint">empty</span>;
}
