import { useEffect, useRef, useState } from 'react';
import { Problem } from '../workbench/panel.tsx';
import { MaskCanvas } from './mask-canvas.tsx';
import { hasPaint, maskFile } from './strokes.ts';
import { type ImageSource, type LoadedImage, useImage } from './use-image.ts';
import { usePainting } from './use-painting.ts';
import './mask.css';

/** Paints a mask over an image. */
export function MaskDialog(props: {
  /** The image to edit. */
  source: ImageSource;
  onDone: (mask: File) => void;
  onClose: () => void;
}) {
  const { source, onDone, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const image = useImage(source);
  useEffect(() => dialog.current?.showModal(), []);

  return (
    <dialog aria-label="Paint a mask" className="retouch-mask" onClose={onClose} ref={dialog}>
      <header>
        <h2>Paint a mask</h2>
        <p className="retouch-faint">
          Paint over the parts to edit; the rest stays unchanged. Keys: arrows move, Shift and
          arrows paint.
        </p>
      </header>
      {image === 'unreadable' ? (
        <>
          <Problem>The browser cannot display this image.</Problem>
          <button className="retouch-button" onClick={() => dialog.current?.close()} type="button">
            Close
          </button>
        </>
      ) : (
        image && <Easel onClose={() => dialog.current?.close()} onDone={onDone} image={image} />
      )}
    </dialog>
  );
}

function Easel(props: { image: LoadedImage; onDone: (mask: File) => void; onClose: () => void }) {
  const { image, onDone, onClose } = props;
  const { url, size } = image;
  const shortEdge = Math.min(size.width, size.height);
  const [percent, setPercent] = useState(12);
  const [erases, setErases] = useState(false);
  const brush = { erases, width: Math.max(1, Math.round((shortEdge * percent) / 100)) };
  const painting = usePainting(size, brush);
  const { strokes } = painting;
  const [problem, setProblem] = useState<string | null>(null);

  const attach = () =>
    maskFile(strokes, size).then(
      (mask) => {
        onDone(mask);
        onClose();
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );

  return (
    <>
      <MaskCanvas brush={brush} painting={painting} size={size} src={url} />
      {problem && <Problem>{problem}</Problem>}
      <div className="retouch-mask-tools">
        <label>
          Brush
          <input
            aria-valuetext={`${brush.width} pixels`}
            max={50}
            min={1}
            onChange={({ currentTarget }) => setPercent(Number(currentTarget.value))}
            type="range"
            value={percent}
          />
        </label>
        <label>
          <input
            checked={erases}
            onChange={({ currentTarget }) => setErases(currentTarget.checked)}
            type="checkbox"
          />
          Erase
        </label>
        <button
          className="retouch-button"
          disabled={strokes.length === 0}
          onClick={painting.undo}
          type="button"
        >
          Undo
        </button>
        <button
          className="retouch-button"
          disabled={strokes.length === 0}
          onClick={painting.clear}
          type="button"
        >
          Clear
        </button>
        <span className="retouch-mask-end">
          <button className="retouch-button" onClick={onClose} type="button">
            Cancel
          </button>
          <button
            className="retouch-button is-primary"
            disabled={!hasPaint(strokes)}
            onClick={attach}
            type="button"
          >
            Attach the mask
          </button>
        </span>
      </div>
    </>
  );
}
