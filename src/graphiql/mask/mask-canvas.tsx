import { useEffect, useRef } from 'react';
import { drawStrokes, type Size } from './strokes.ts';
import type { Brush, Painting } from './use-painting.ts';

/** No larger than a screen; the mask itself is drawn again at the image's size. */
const MAX_PREVIEW_EDGE = 1_600;

/** Size of the paint pattern, in pixels of the preview. */
const STRIPE = 20;

/** The image with the paint over it. */
export function MaskCanvas(props: { src: string; size: Size; brush: Brush; painting: Painting }) {
  const { src, size, brush, painting } = props;
  const { strokes, cursor, handlers } = painting;
  const canvas = useRef<HTMLCanvasElement>(null);
  const scale = Math.min(1, MAX_PREVIEW_EDGE / Math.max(size.width, size.height));

  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.clearRect(0, 0, context.canvas.width, context.canvas.height);
    context.strokeStyle = stripes(context) ?? '#000';
    drawStrokes(context, strokes, scale);
    if (cursor === null) return;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(cursor.x * scale, cursor.y * scale, (brush.width * scale) / 2, 0, 2 * Math.PI);
    context.stroke();
  }, [strokes, cursor, brush, scale]);

  return (
    <div className="retouch-mask-stage" style={{ aspectRatio: `${size.width} / ${size.height}` }}>
      <img alt="" draggable={false} src={src} />
      <canvas
        aria-label="Paint the parts to edit with the pointer, or move with the arrow keys and paint with Shift and an arrow, or Space."
        height={Math.round(size.height * scale)}
        ref={canvas}
        tabIndex={0}
        width={Math.round(size.width * scale)}
        {...handlers}
      />
    </div>
  );
}

/** In the theme's color and white, so that it is visible on any image. */
function stripes(context: CanvasRenderingContext2D): CanvasPattern | null {
  const tile = new OffscreenCanvas(STRIPE, STRIPE);
  const drawing = tile.getContext('2d');
  if (drawing === null) return null;
  drawing.fillStyle = getComputedStyle(context.canvas).color;
  drawing.fillRect(0, 0, STRIPE, STRIPE);
  drawing.strokeStyle = '#fff';
  drawing.lineWidth = STRIPE / 5;
  // Three times, so that the corners connect when the tile repeats.
  for (const shift of [-STRIPE, 0, STRIPE]) {
    drawing.moveTo(shift - 2, STRIPE + 2);
    drawing.lineTo(shift + STRIPE + 2, -2);
  }
  drawing.stroke();
  return context.createPattern(tile, 'repeat');
}
