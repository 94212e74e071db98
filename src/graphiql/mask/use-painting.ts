import { type KeyboardEvent, type PointerEvent, useState } from 'react';
import type { Point, Size, Stroke } from './strokes.ts';

export interface Brush {
  readonly erases: boolean;
  /** Pixels of the image. */
  readonly width: number;
}

/** The strokes, and the handlers for pointer and keys. */
export interface Painting {
  readonly strokes: readonly Stroke[];
  /** Cursor of the keys; null while the pointer is used. */
  readonly cursor: Point | null;
  undo(): void;
  clear(): void;
  readonly handlers: {
    onPointerDown(event: PointerEvent<HTMLCanvasElement>): void;
    onPointerMove(event: PointerEvent<HTMLCanvasElement>): void;
    onKeyDown(event: KeyboardEvent<HTMLCanvasElement>): void;
    onBlur(): void;
  };
}

const STEPS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** The pointer paints while pressed. Arrows move a cursor, and paint with Shift. */
export function usePainting(size: Size, brush: Brush): Painting {
  const [strokes, setStrokes] = useState<readonly Stroke[]>([]);
  const [cursor, setCursor] = useState<Point | null>(null);

  const start = (points: readonly Point[]) =>
    setStrokes((before) => [...before, { ...brush, points }]);
  const extend = (point: Point) =>
    setStrokes((before) => {
      const last = before.at(-1);
      return last ? [...before.slice(0, -1), { ...last, points: [...last.points, point] }] : before;
    });
  const move = (from: Point, key: string): Point => {
    const step = STEPS[key] ?? { x: 0, y: 0 };
    const distance = Math.max(1, brush.width / 4);
    return {
      x: Math.min(size.width, Math.max(0, from.x + step.x * distance)),
      y: Math.min(size.height, Math.max(0, from.y + step.y * distance)),
    };
  };

  return {
    strokes,
    cursor,
    undo: () => setStrokes((before) => before.slice(0, -1)),
    clear: () => setStrokes([]),
    handlers: {
      onPointerDown(event) {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setCursor(null);
        start([pointOf(event, size)]);
      },
      onPointerMove(event) {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        extend(pointOf(event, size));
      },
      onKeyDown(event) {
        const from = cursor ?? { x: size.width / 2, y: size.height / 2 };
        if (event.key in STEPS) {
          const to = move(from, event.key);
          setCursor(to);
          if (event.shiftKey) start([from, to]);
        } else if (event.key === ' ' || event.key === 'Enter') {
          setCursor(from);
          start([from]);
        } else {
          return;
        }
        event.preventDefault();
      },
      onBlur: () => setCursor(null),
    },
  };
}

function pointOf({ currentTarget, clientX, clientY }: PointerEvent<HTMLCanvasElement>, size: Size) {
  const { left, top, width, height } = currentTarget.getBoundingClientRect();
  return {
    x: ((clientX - left) / width) * size.width,
    y: ((clientY - top) / height) * size.height,
  };
}
