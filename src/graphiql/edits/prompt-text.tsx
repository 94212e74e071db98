import { useState } from 'react';
import { formatCount } from '../workbench/format.ts';

/** Characters. A longer prompt is collapsed, because the facts are below it. */
const LONG = 600;

/** A prompt, collapsed if it is long. */
export function PromptText({ text }: { text: string }) {
  const isLong = text.length > LONG;
  const [isWhole, setIsWhole] = useState(!isLong);
  return (
    <>
      <p className={`retouch-detail-prompt${isWhole ? '' : ' is-cut'}`} dir="auto">
        {text}
      </p>
      {isLong && (
        <button
          aria-expanded={isWhole}
          className="retouch-link"
          onClick={() => setIsWhole(!isWhole)}
          type="button"
        >
          {isWhole ? 'Show less' : `Show all ${formatCount(text.length)} characters`}
        </button>
      )}
    </>
  );
}
