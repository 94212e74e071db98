import { formatAgo, formatCount, formatDollars } from '../workbench/format.ts';
import { type Edit, isFinal, newestImage } from './edit.ts';
import { StatusBadge } from './status-badge.tsx';
import { StoredImage } from './stored-image.tsx';

/** An edit in the gallery. */
export function EditCard({ edit, onOpen }: { edit: Edit; onOpen: () => void }) {
  const newest = newestImage(edit);
  const image = newest ?? edit.inputImages[0] ?? null;
  const { outputImages, usage, cost } = edit;
  return (
    <li>
      <button className="retouch-edit" data-edit={edit.id} onClick={onOpen} type="button">
        <span className={`retouch-edit-image${isFinal(edit) ? '' : ' is-working'}`}>
          {image && (
            <StoredImage
              alt={newest ? `The result of “${edit.prompt.text}”` : 'Input image'}
              className={newest ? '' : 'is-input'}
              image={image}
            />
          )}
          <StatusBadge status={edit.status} />
          {outputImages.length > 1 && (
            <span className="retouch-edit-count">{outputImages.length} images</span>
          )}
        </span>
        <span className="retouch-edit-prompt" dir="auto">
          {edit.prompt.text}
        </span>
        <span className="retouch-faint retouch-edit-facts">
          <span>{formatAgo(new Date(edit.createdAt))}</span>
          {cost && !cost.nominal && <span>{formatDollars(cost.amount)}</span>}
          {usage && <span>{formatCount(usage.totalTokens)} tokens</span>}
        </span>
      </button>
    </li>
  );
}
