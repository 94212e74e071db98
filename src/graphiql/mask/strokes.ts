/** One stroke of the brush; all numbers are pixels of the image. */
export interface Stroke {
  readonly erases: boolean;
  readonly width: number;
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Draws the painted area in the context's color on a clear canvas. */
export function drawStrokes(context: Context, strokes: readonly Stroke[], scale = 1): void {
  context.save();
  context.scale(scale, scale);
  context.lineCap = 'round';
  context.lineJoin = 'round';
  for (const { erases, width, points } of strokes) {
    context.globalCompositeOperation = erases ? 'destination-out' : 'source-over';
    context.lineWidth = width;
    context.beginPath();
    for (const [index, { x, y }] of points.entries()) {
      if (index === 0) context.moveTo(x, y);
      context.lineTo(x, y);
    }
    context.stroke();
  }
  context.restore();
}

/** Whether anything is painted, as far as is known without drawing. */
export function hasPaint(strokes: readonly Stroke[]): boolean {
  return strokes.some(({ erases }) => !erases);
}

/**
 * The mask in the format of the edits API: a PNG of the image's size, opaque except where painted.
 * @throws Error if the browser cannot create an image of that size.
 */
export async function maskFile(strokes: readonly Stroke[], size: Size): Promise<File> {
  const canvas = new OffscreenCanvas(size.width, size.height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('The browser cannot create a mask of this size.');
  drawStrokes(context, strokes);
  // Opaque wherever there is no paint.
  context.globalCompositeOperation = 'source-out';
  context.fillStyle = '#fff';
  context.fillRect(0, 0, size.width, size.height);
  const blob = await canvas.convertToBlob({ type: 'image/png' });
  return new File([blob], 'mask.png', { type: 'image/png' });
}
