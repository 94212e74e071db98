import { useEffect, useState } from 'react';
import type { Size } from './strokes.ts';

/** A file, or the address of a stored picture. */
export type PictureSource = File | string;

export interface Picture {
  readonly url: string;
  /** As a viewer shows it, after its EXIF orientation: that is what a mask is compared with. */
  readonly size: Size;
}

/** Null until it is known. */
export function usePicture(source: PictureSource): Picture | 'unreadable' | null {
  const [picture, setPicture] = useState<Picture | 'unreadable' | null>(null);
  useEffect(() => {
    const looking = new AbortController();
    const { signal } = looking;
    // Of the file or, for a stored picture, its own address.
    const made = typeof source === 'string' ? null : URL.createObjectURL(source);
    const url = made ?? String(source);
    measure(url).then(
      (size) => !signal.aborted && setPicture({ url, size }),
      () => !signal.aborted && setPicture('unreadable'),
    );
    return () => {
      looking.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [source]);
  return picture;
}

/** @throws DOMException when it is no picture. */
async function measure(url: string): Promise<Size> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { width: image.naturalWidth, height: image.naturalHeight };
}
