/** As in the links that the OpenAI-compatible API returns: `/graphql?edit=<global id>`. */
const PARAMETER = 'edit';

/** The part of the page's URL that names an edit. */
export interface EditLink {
  /** A global id; null if the URL names none. */
  read(): string | null;
  /** Removes it from the URL, so that a reload opens no edit. */
  remove(): void;
}

export const editLink: EditLink = {
  read: () => new URLSearchParams(location.search).get(PARAMETER) || null,
  remove() {
    const url = new URL(location.href);
    if (!url.searchParams.has(PARAMETER)) return;
    url.searchParams.delete(PARAMETER);
    history.replaceState(history.state, '', url);
  },
};
