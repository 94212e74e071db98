import type { ReactNode } from 'react';
import { createPortal } from 'react-dom';

/** Renders above GraphiQL, inside the element that has its theme. */
export function Overlay({ children }: { children: ReactNode }) {
  const container = document.querySelector('.graphiql-container');
  return container && createPortal(children, container);
}
