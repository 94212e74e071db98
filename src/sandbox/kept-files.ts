import { randomUUID } from 'node:crypto';

const MAX_FILES = 20;

export const FILES_PATH = '/sandbox/files/';

/** Images that responses link to; only the latest few. */
export interface KeptFiles {
  /** Returns the path that serves it. */
  keep(bytes: Buffer, contentType: string): string;
  get(path: string): { readonly bytes: Buffer; readonly contentType: string } | null;
}

export function createKeptFiles(): KeptFiles {
  const files = new Map<string, { bytes: Buffer; contentType: string }>();
  return {
    keep(bytes, contentType) {
      const path = `${FILES_PATH}${randomUUID()}`;
      files.set(path, { bytes, contentType });
      const [oldest] = files.keys();
      if (files.size > MAX_FILES && oldest !== undefined) files.delete(oldest);
      return path;
    },
    get: (path) => files.get(path) ?? null,
  };
}
