import { groupOf, mayBeImage } from './image-place.ts';

/** Position of an image: several forms of one image have the same element. */
export interface ImagePlace {
  /** Counted in document order. */
  readonly element: number;
  /** See `groupOf`. */
  readonly group: string;
}

/** Images are not nested deeper. */
const MAX_DEPTH = 8;

interface Level {
  readonly isObject: boolean;
  readonly element: number;
  /** The last one that was read, of an object. */
  key: string;
}

/** The position in a JSON document while it is scanned: which objects and lists are open. */
export interface JsonPosition {
  readonly isRoot: boolean;
  /** Whether a string that begins here is a key. */
  readonly isKey: boolean;
  open(isObject: boolean): void;
  close(): void;
  colon(): void;
  comma(): void;
  /** The key that ends here. */
  setKey(key: string): void;
  /** What a value that begins here may be: an image, with its own key, or null. Counts elements. */
  imagePlace(): { readonly place: ImagePlace; readonly key: string | null } | null;
}

export function createJsonPosition(): JsonPosition {
  let depth = 0;
  /** From the root down; those deeper than MAX_DEPTH are not needed. */
  const levels: Level[] = [];
  let elements = 0;
  let afterColon = false;

  return {
    get isRoot() {
      return depth === 0;
    },
    get isKey() {
      return depth <= MAX_DEPTH && levels[depth - 1]?.isObject === true && !afterColon;
    },
    open(isObject) {
      depth += 1;
      afterColon = false;
      elements += 1;
      if (depth <= MAX_DEPTH) levels[depth - 1] = { isObject, element: elements, key: '' };
    },
    close() {
      depth = Math.max(0, depth - 1);
    },
    colon() {
      afterColon = true;
    },
    comma() {
      afterColon = false;
    },
    setKey(key) {
      const level = levels[depth - 1];
      if (level !== undefined) level.key = key;
    },
    imagePlace() {
      const level = levels[depth - 1];
      if (depth > MAX_DEPTH || level === undefined || (level.isObject && !afterColon)) return null;
      const path = levels.slice(0, depth).map(({ isObject, key }) => (isObject ? key : null));
      if (!mayBeImage(path)) return null;
      const element = level.isObject ? level.element : ++elements;
      return { place: { element, group: groupOf(path) }, key: path.at(-1) ?? null };
    },
  };
}
