import { UnreadableBodyError } from '../../../errors.ts';

/** Where a JSON document that is being read is: which objects and lists are open. */
export interface JsonPath {
  /** Whether a string that begins here is a key. */
  readonly isKey: boolean;
  /** The key of the document's own object that this is below; null in the root. */
  readonly rootKey: string | null;
  /** @throws UnreadableBodyError for a document that is nested too deep. */
  open(isObject: boolean): void;
  close(): void;
  colon(): void;
  comma(): void;
  setKey(key: string): void;
  /** Such as `images[2].image_url`. */
  toString(): string;
}

interface Level {
  readonly isObject: boolean;
  /** The last key that was read, of an object. */
  key: string;
  /** Of a list. */
  index: number;
}

const MAX_DEPTH = 32;
/** Paths occur in messages. */
const MAX_SHOWN_KEY_CHARACTERS = 64;

/** Need only be right for valid JSON, which JSON.parse decides at the end. */
export function createJsonPath(): JsonPath {
  const levels: Level[] = [];
  let isAfterColon = false;
  return {
    get isKey() {
      return levels.at(-1)?.isObject === true && !isAfterColon;
    },
    get rootKey() {
      const [root] = levels;
      return root?.isObject === true ? root.key : null;
    },
    open(isObject) {
      if (levels.length === MAX_DEPTH) {
        throw new UnreadableBodyError(`The JSON body is nested deeper than ${MAX_DEPTH} levels.`);
      }
      levels.push({ isObject, key: '', index: 0 });
      isAfterColon = false;
    },
    close() {
      levels.pop();
    },
    colon() {
      isAfterColon = true;
    },
    comma() {
      isAfterColon = false;
      const level = levels.at(-1);
      if (level !== undefined) level.index += 1;
    },
    setKey(key) {
      const level = levels.at(-1);
      if (level !== undefined) level.key = key.slice(0, MAX_SHOWN_KEY_CHARACTERS);
    },
    toString() {
      const path = levels.map(({ isObject, key, index }) => (isObject ? `.${key}` : `[${index}]`));
      return path.join('').replace(/^\./, '') || 'The body';
    },
  };
}
