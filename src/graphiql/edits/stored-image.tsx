import { useEffect, useState } from 'react';
import { ownUrl } from '../transport/graphql.ts';
import type { EditImage } from './edit.ts';
import { useEdits } from './use-edits.ts';

/**
 * A stored image's thumbnail, or the image itself if it has none. If loading fails while the
 * service is unavailable, it is repeated afterwards.
 */
export function StoredImage(props: { image: EditImage; alt: string; className?: string }) {
  const { image, alt, className } = props;
  const { isLive } = useEdits();
  const [failures, setFailures] = useState(0);
  useEffect(() => {
    if (isLive) setFailures(0);
  }, [isLive]);
  return (
    <img
      alt={alt}
      className={className}
      height={image.height}
      // A new element, because browsers cache a failed URL.
      key={failures}
      loading="lazy"
      onError={() => setFailures((before) => Math.min(before + 1, 2))}
      src={ownUrl(failures === 0 ? image.thumbnailUrl : image.url)}
      width={image.width}
    />
  );
}
