import { useState } from 'react';
import { ownUrl } from '../transport/graphql.ts';
import { formatAgo, formatCount, formatDollars } from '../workbench/format.ts';
import { BeforeAfter } from './before-after.tsx';
import { type Edit, isFinal, newestPicture, type Picture } from './edit.ts';
import { EditActions } from './edit-actions.tsx';
import { EditNotes } from './edit-notes.tsx';
import { PictureActions } from './picture-actions.tsx';
import { PromptText } from './prompt-text.tsx';
import { StatusBadge } from './status-badge.tsx';
import { StoredImage } from './stored-image.tsx';
import './edit-detail.css';

/** One edit: before and after, what was asked for, what it took, and its pictures. */
export function EditDetail({ edit }: { edit: Edit }) {
  const [chosenId, setChosenId] = useState<string | null>(null);
  const pictures = [...edit.partialImages, ...edit.outputImages];
  const chosen = pictures.find(({ id }) => id === chosenId) ?? newestPicture(edit);
  const [before] = edit.inputImages;
  return (
    <article className={`retouch-detail${isFinal(edit) ? '' : ' is-working'}`}>
      {before && chosen ? (
        <BeforeAfter after={chosen} before={before} />
      ) : (
        before && <img alt="What is to be edited" src={ownUrl(before.url)} />
      )}
      <PromptText text={edit.prompt.text} />
      <EditNotes edit={edit} />
      <EditActions edit={edit} />
      <Facts edit={edit} />
      <Pictures chosen={chosen} name="Result" onChoose={setChosenId} pictures={edit.outputImages} />
      <Pictures
        chosen={chosen}
        name="On the way"
        onChoose={setChosenId}
        pictures={edit.partialImages}
      />
      <Pictures chosen={null} name="Input" pictures={edit.inputImages} />
      {edit.mask && <Pictures chosen={null} name="Mask" pictures={[edit.mask]} />}
    </article>
  );
}

function Facts({ edit }: { edit: Edit }) {
  const { usage, cost, durationMs } = edit;
  const facts: [string, string | null][] = [
    ['Model', edit.sandbox ? `${edit.model} (sandbox)` : edit.model],
    ['Size', edit.resolvedSize],
    ['Tokens', usage && formatCount(usage.totalTokens)],
    [cost?.nominal ? 'Would cost' : 'Cost', cost && formatDollars(cost.amount)],
    ['Took', durationMs === null ? null : `${(durationMs / 1_000).toFixed(1)} s`],
    ['Begun', formatAgo(new Date(edit.createdAt))],
  ];
  return (
    <dl className="retouch-facts">
      <div>
        <dt>Status</dt>
        <dd>
          <StatusBadge status={edit.status} />
        </dd>
      </div>
      {facts.map(
        ([name, value]) =>
          value !== null && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Pictures(props: {
  name: string;
  pictures: readonly Picture[];
  chosen: Picture | null;
  /** Absent: they are not for comparing. */
  onChoose?: (id: string) => void;
}) {
  const { name, pictures, chosen, onChoose } = props;
  if (pictures.length === 0) return null;
  return (
    <section className="retouch-pictures">
      <h3>{name}</h3>
      <ul>
        {pictures.map((picture, index) => {
          const label = pictures.length > 1 ? `${name} ${index + 1}` : name;
          const image = <StoredImage alt={label} image={picture} />;
          return (
            <li key={picture.id}>
              {onChoose ? (
                <button
                  aria-label={`Compare ${label}`}
                  aria-pressed={picture.id === chosen?.id}
                  onClick={() => onChoose(picture.id)}
                  type="button"
                >
                  {image}
                </button>
              ) : (
                image
              )}
              <PictureActions label={label} picture={picture} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
