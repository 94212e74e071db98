import { useState } from 'react';
import { ownUrl } from '../transport/graphql.ts';
import { formatAgo, formatCount, formatDollars } from '../workbench/format.ts';
import { BeforeAfter } from './before-after.tsx';
import { type Edit, type EditImage, isFinal, newestImage } from './edit.ts';
import { EditActions } from './edit-actions.tsx';
import { EditNotes } from './edit-notes.tsx';
import { ImageActions } from './image-actions.tsx';
import { PromptText } from './prompt-text.tsx';
import { StatusBadge } from './status-badge.tsx';
import { StoredImage } from './stored-image.tsx';
import './edit-detail.css';

/** One edit: before and after, prompt, facts, and images. */
export function EditDetail({ edit }: { edit: Edit }) {
  const [chosenId, setChosenId] = useState<string | null>(null);
  const images = [...edit.partialImages, ...edit.outputImages];
  const chosen = images.find(({ id }) => id === chosenId) ?? newestImage(edit);
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
      <Images chosen={chosen} name="Result" onChoose={setChosenId} images={edit.outputImages} />
      <Images chosen={chosen} name="Partial" onChoose={setChosenId} images={edit.partialImages} />
      <Images chosen={null} name="Input" images={edit.inputImages} />
      {edit.mask && <Images chosen={null} name="Mask" images={[edit.mask]} />}
    </article>
  );
}

const SOURCES = { GRAPHQL: 'GraphQL', OPENAI_API: 'OpenAI API' } as const;

function Facts({ edit }: { edit: Edit }) {
  const { usage, cost, durationMs } = edit;
  const facts: [string, string | null][] = [
    ['Model', edit.sandbox ? `${edit.model} (sandbox)` : edit.model],
    ['Size', edit.resolvedSize],
    ['Tokens', usage && formatCount(usage.totalTokens)],
    [cost?.nominal ? 'Would cost' : 'Cost', cost && formatDollars(cost.amount)],
    ['Duration', durationMs === null ? null : `${(durationMs / 1_000).toFixed(1)} s`],
    ['Source', SOURCES[edit.source]],
    ['Created', formatAgo(new Date(edit.createdAt))],
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

function Images(props: {
  name: string;
  images: readonly EditImage[];
  chosen: EditImage | null;
  /** Absent if they cannot be compared. */
  onChoose?: (id: string) => void;
}) {
  const { name, images, chosen, onChoose } = props;
  if (images.length === 0) return null;
  return (
    <section className="retouch-images">
      <h3>{name}</h3>
      <ul>
        {images.map((image, index) => {
          const label = images.length > 1 ? `${name} ${index + 1}` : name;
          const shown = <StoredImage alt={label} image={image} />;
          return (
            <li key={image.id}>
              {onChoose ? (
                <button
                  aria-label={`Compare ${label}`}
                  aria-pressed={image.id === chosen?.id}
                  onClick={() => onChoose(image.id)}
                  type="button"
                >
                  {shown}
                </button>
              ) : (
                shown
              )}
              <ImageActions label={label} image={image} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}
