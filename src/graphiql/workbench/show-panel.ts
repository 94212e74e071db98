/** The plugins' titles, by which they are shown. */
export const FILES_TITLE = 'Files';
export const EDITS_TITLE = 'Edits';

/**
 * Shows a panel like its button in the sidebar: the action of GraphiQL's store would leave a hidden
 * column hidden.
 */
export function showPanel(title: string): void {
  const label = CSS.escape(`Show ${title}`);
  document.querySelector<HTMLElement>(`.graphiql-sidebar [aria-label="${label}"]`)?.click();
}
