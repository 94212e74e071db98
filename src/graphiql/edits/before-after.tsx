import { type CSSProperties, useState } from 'react';
import { ownUrl } from '../transport/graphql.ts';
import type { EditImage } from './edit.ts';
import './before-after.css';

/** Two images on top of each other, with a movable divider. */
export function BeforeAfter({ before, after }: { before: EditImage; after: EditImage }) {
  const [percent, setPercent] = useState(50);
  const style = {
    '--at': `${percent}%`,
    aspectRatio: `${after.width} / ${after.height}`,
  } as CSSProperties;
  return (
    <div className="retouch-compare" style={style}>
      <img alt="After" src={ownUrl(after.url)} />
      <img alt="Before" className="is-before" src={ownUrl(before.url)} />
      <span aria-hidden="true" className="retouch-compare-label">
        Before
      </span>
      <span aria-hidden="true" className="retouch-compare-label is-after">
        After
      </span>
      <span aria-hidden="true" className="retouch-compare-line" />
      <input
        aria-label="How much of the image before the edit is shown"
        aria-valuetext={`${percent} percent`}
        max={100}
        min={0}
        onChange={({ currentTarget }) => setPercent(Number(currentTarget.value))}
        type="range"
        value={percent}
      />
    </div>
  );
}
