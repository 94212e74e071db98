import type { ReactNode } from 'react';
import './panel.css';

/** A panel beside the editors: its title, what stands beside that, and what is in it. */
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

/** What is wrong, said as soon as it is. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <p className="retouch-problem" role="alert">
      {children}
    </p>
  );
}
