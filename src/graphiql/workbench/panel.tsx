import type { ReactNode } from 'react';
import './panel.css';

/** A panel beside the editors: title, actions, content. */
export function Panel(props: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={props.title} className="retouch-panel">
      <header className="retouch-panel-header">
        <h2>{props.title}</h2>
        {props.aside}
      </header>
      {props.children}
    </section>
  );
}

/** A problem, announced to screen readers. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <p className="retouch-problem" role="alert">
      {children}
    </p>
  );
}
