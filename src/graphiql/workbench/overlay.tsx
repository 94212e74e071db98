import type { ReactNode } from 'react';
import { createPortal } from 'react-dom';

/** Shows on top of GraphiQL, in its theme, which ends where its own element does. */
export function Overlay({ children }: { children: ReactNode }) {
  const container = document.querySelector('.graphiql-container');
  return container && createPortal(children, container);
}
