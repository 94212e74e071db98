/** The plugins' titles, by which they are shown. */
export const FILES_TITLE = 'Files';
export const EDITS_TITLE = 'Edits';

/**
 * Shows a panel as its button in the sidebar does: the action of GraphiQL's store leaves a panel's
 * column hidden where it is.
 */
export function showPanel(title: string): void {
  const label = CSS.escape(`Show ${title}`);
  document.querySelector<HTMLElement>(`.graphiql-sidebar [aria-label="${label}"]`)?.click();
}
