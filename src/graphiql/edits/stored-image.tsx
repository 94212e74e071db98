import { useEffect, useState } from 'react';
import { ownUrl } from '../transport/graphql.ts';
import { usePage } from '../workbench/page-context.ts';
import type { EditImage } from './edit.ts';
import { useEdits } from './use-edits.ts';

/**
 * A stored image's thumbnail, or the image itself if it has none. If loading fails while the
 * service is unavailable, or because the URL has expired, it is repeated afterwards.
 */
export function StoredImage(props: { image: EditImage; alt: string; className?: string }) {
  const { image, alt, className } = props;
  const { isLive } = useEdits();
  const { feed } = usePage();
  const [failures, setFailures] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new URL is loaded from the start.
  useEffect(() => {
    if (isLive) setFailures(0);
  }, [isLive, image.url]);
  const onError = () => {
    feed.renewUrls();
    setFailures((before) => Math.min(before + 1, 2));
  };
  return (
    <img
      alt={alt}
      className={className}
      height={image.height}
      // A new element, because browsers cache a failed URL.
      key={failures}
      loading="lazy"
      onError={onError}
      src={ownUrl(failures === 0 ? image.thumbnailUrl : image.url)}
      width={image.width}
    />
  );
}
