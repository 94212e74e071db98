import { useEffect, useSyncExternalStore } from 'react';
import type { Edit } from '../edits/edit.ts';
import { isFinal } from '../edits/edit.ts';
import { EditActions } from '../edits/edit-actions.tsx';
import { EditNotes } from '../edits/edit-notes.tsx';
import { find } from '../edits/edits-feed.ts';
import { StatusBadge } from '../edits/status-badge.tsx';
import { StoredImage } from '../edits/stored-image.tsx';
import { useEdits } from '../edits/use-edits.ts';
import { ownUrl } from '../transport/graphql.ts';
import { usePage } from '../workbench/page-context.ts';
import { EDITS_TITLE, showPanel } from '../workbench/show-panel.ts';
import { editsOfRun } from './run-edits.ts';
import type { Run } from './runs.ts';
import './results.css';

/** The edits of the active tab's last run, below its response. */
export function Results() {
  const { runs } = usePage();
  const run = useSyncExternalStore(runs.subscribe, runs.active);
  const hasEdits = run !== null && (run.prompts !== null || run.editIds.length > 0);
  return hasEdits ? <RunResults run={run} /> : null;
}

function RunResults({ run }: { run: Run }) {
  const { feed } = usePage();
  const state = useEdits();
  const { editIds } = run;
  const isLoaded = state.edits !== null;
  useEffect(() => {
    if (isLoaded) feed.ask(editIds);
  }, [feed, editIds, isLoaded]);

  const edits = editsOfRun(run, state.edits ?? [], (id) => find(state, id) ?? undefined);
  if (edits.length === 0) return null;
  return (
    <section aria-label="Results" className="retouch-results">
      {edits.map((edit) => (
        <Result edit={edit} key={edit.id} />
      ))}
    </section>
  );
}

function Result({ edit }: { edit: Edit }) {
  const { openEdit } = usePage();
  const show = () => {
    openEdit.set(edit.id);
    if (!document.querySelector('.retouch-detail')) showPanel(EDITS_TITLE);
  };
  return (
    <article className="retouch-result">
      <Images edit={edit} />
      <div className="retouch-result-text">
        <header>
          <StatusBadge status={edit.status} />
          <button className="retouch-link" onClick={show} type="button">
            Show in Edits
          </button>
        </header>
        <EditNotes edit={edit} />
        <EditActions edit={edit} />
      </div>
    </article>
  );
}

/** The output images, or else the newest partial image, or else the first input. */
function Images({ edit }: { edit: Edit }) {
  const partial = edit.partialImages.at(-1);
  const input = edit.inputImages[0];
  const outputs = edit.outputImages.map((image) => ({ image, name: 'Output image' }));
  const before = partial
    ? { image: partial, name: 'Partial image' }
    : input && { image: input, name: 'Input image' };
  const shown = outputs.length > 0 ? outputs : before ? [before] : [];
  return (
    <div className={`retouch-result-images${isFinal(edit) ? '' : ' is-working'}`}>
      {shown.map(({ image, name }, index) => (
        <a
          aria-label={`Open ${name} ${index + 1}`}
          href={ownUrl(image.url)}
          key={image.id}
          rel="noreferrer"
          target="_blank"
        >
          <StoredImage alt={name} className={image === input ? 'is-input' : ''} image={image} />
        </a>
      ))}
    </div>
  );
}
