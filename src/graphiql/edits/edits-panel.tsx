import { useEffect, useRef, useState } from 'react';
import { UsagePlot } from '../usage/usage-plot.tsx';
import { BackIcon } from '../workbench/icons.tsx';
import { usePage } from '../workbench/page-context.ts';
import { Panel, Problem } from '../workbench/panel.tsx';
import { isFinal } from './edit.ts';
import { EditCard } from './edit-card.tsx';
import { EditDetail } from './edit-detail.tsx';
import { useEdits } from './use-edits.ts';
import { useOpenEdit } from './use-open-edit.ts';
import './edits.css';

/** The viewer's recent edits, live, and their usage by day. */
export function EditsPanel() {
  const { feed, openEdit } = usePage();
  const state = useEdits();
  const { edits, isLive, problem, hasEarlier } = state;
  const opened = useOpenEdit(state);
  const isAbsent = opened === 'absent';
  const open = isAbsent || (opened === 'loading' && problem) ? null : opened;
  const ended = edits?.filter(isFinal).length ?? 0;
  const back = useReturn(open === null || open === 'loading' ? undefined : open.id);
  useMinutes();

  if (open) {
    return (
      <Panel
        aside={
          <button
            className="retouch-button"
            onClick={() => openEdit.set(null)}
            ref={back}
            type="button"
          >
            <BackIcon /> All edits
          </button>
        }
        title="Edit"
      >
        {open === 'loading' ? (
          <p className="retouch-empty">Loading…</p>
        ) : (
          <EditDetail edit={open} key={open.id} />
        )}
      </Panel>
    );
  }
  return (
    <Panel
      aside={
        <span className="retouch-live" data-live={isLive} role="status">
          {isLive ? 'Live' : 'Connecting…'}
        </span>
      }
      title="Edits"
    >
      {problem && <Problem>{problem}</Problem>}
      {isAbsent && <Problem>The edit of this link does not exist, or is not yours.</Problem>}
      <UsagePlot endedEdits={ended} />
      {edits?.length === 0 && (
        <p className="retouch-empty">No edits yet. Run one to see its progress here.</p>
      )}
      {edits && (
        <ul className="retouch-gallery">
          {edits.map((edit) => (
            <EditCard edit={edit} key={edit.id} onOpen={() => openEdit.set(edit.id)} />
          ))}
        </ul>
      )}
      {hasEarlier && (
        <button className="retouch-button" onClick={feed.loadEarlier} type="button">
          Earlier edits
        </button>
      )}
    </Panel>
  );
}

/**
 * Scrolls an opened edit to its top, and restores the focus when it is closed.
 * @returns Ref of the back button.
 */
function useReturn(openId: string | undefined) {
  const back = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (openId === undefined) return;
    back.current?.focus({ preventScroll: true });
    back.current?.closest('section')?.scrollIntoView();
    return () =>
      document.querySelector<HTMLElement>(`[data-edit="${CSS.escape(openId)}"]`)?.focus();
  }, [openId]);
  return back;
}

/** Rerenders each minute, because relative times change. */
function useMinutes(): void {
  const [, setMinutes] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setMinutes((before) => before + 1), 60_000);
    return () => clearInterval(timer);
  }, []);
}
