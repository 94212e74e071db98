import { useEffect, useState } from 'react';
import type { Size } from './strokes.ts';

/** A file, or the URL of a stored image. */
export type ImageSource = File | string;

export interface LoadedImage {
  readonly url: string;
  /** Size after EXIF orientation, which a mask must match. */
  readonly size: Size;
}

/** Null until it is loaded. */
export function useImage(source: ImageSource): LoadedImage | 'unreadable' | null {
  const [image, setImage] = useState<LoadedImage | 'unreadable' | null>(null);
  useEffect(() => {
    const looking = new AbortController();
    const { signal } = looking;
    // URL of the file or of the stored image.
    const made = typeof source === 'string' ? null : URL.createObjectURL(source);
    const url = made ?? String(source);
    measure(url).then(
      (size) => !signal.aborted && setImage({ url, size }),
      () => !signal.aborted && setImage('unreadable'),
    );
    return () => {
      looking.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [source]);
  return image;
}

/** @throws DOMException if it is not an image. */
async function measure(url: string): Promise<Size> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return { width: image.naturalWidth, height: image.naturalHeight };
}
