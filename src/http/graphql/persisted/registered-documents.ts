/** Characters of all registered documents together, two bytes each. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/** A longer document is not registered: clients then send it each time. */
const MAX_DOCUMENT_CHARACTERS = 64 * 1024;

/** Documents that clients have registered by their SHA-256, in this process. */
export interface RegisteredDocuments {
  find(hash: string): string | undefined;
  /** @param hash Must be the document's own. */
  add(hash: string, document: string): void;
}

/** Forgets the documents that were used least recently beyond a total length. */
export function createRegisteredDocuments(
  /** @default 4_194_304 */
  maxCharacters = MAX_CHARACTERS,
): RegisteredDocuments {
  /** The least recently used first. */
  const documents = new Map<string, string>();
  let characters = 0;

  function remove(hash: string): string | undefined {
    const document = documents.get(hash);
    if (documents.delete(hash)) characters -= document?.length ?? 0;
    return document;
  }

  function append(hash: string, document: string): void {
    documents.set(hash, document);
    characters += document.length;
  }

  return {
    find(hash) {
      const document = remove(hash);
      if (document !== undefined) append(hash, document);
      return document;
    },
    add(hash, document) {
      if (document.length > MAX_DOCUMENT_CHARACTERS) return;
      remove(hash);
      append(hash, document);
      for (const oldest of documents.keys()) {
        if (characters <= maxCharacters) break;
        remove(oldest);
      }
    },
  };
}
