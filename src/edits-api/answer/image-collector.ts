import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import { EditsApiError } from '../edits-api-error.ts';
import { brokenAnswer } from './answer-errors.ts';
import type { PictureWriter } from './image-writer.ts';
import type { PicturePlace } from './json-position.ts';
import type { ScanEvent } from './json-scanner.ts';

/** Longest `data:image/…;base64,`. */
const MAX_DATA_URL_HEAD = 256;
const COMMA = 0x2c;

/** What one element of an answer has for an image. */
export interface PictureElement {
  readonly picture: StagedFile | null;
  /** Where the image can be had as well, or only. */
  readonly url: string | null;
  /** Why there is no image although something stands there. */
  readonly failure: EditsApiError | null;
  /** See `groupOf`. */
  readonly group: string;
}

/**
 * Stages the images that a scanner finds in one JSON document. One that is broken does not matter to
 * the others: they are paid for.
 */
export interface PictureCollector {
  /** @throws StorageError */
  take(event: ScanEvent): Promise<void>;
  /** How many images are staged. */
  readonly size: number;
  /**
   * The elements in order, of the list that has images; the caller owns them now. Images that
   * stand elsewhere, such as a second copy of the list, are removed.
   */
  end(): Promise<PictureElement[]>;
  /** Removes every image staged so far, finished or not. */
  discard(): Promise<void>;
}

type Element = { -readonly [Name in keyof PictureElement]: PictureElement[Name] };

export function createPictureCollector(options: {
  writer: PictureWriter;
  maxPictures: number;
}): PictureCollector {
  const { writer, maxPictures } = options;
  const elements = new Map<number, Element>();
  /** The one whose image is being written; null: the text is passed over. */
  let current: Element | null = null;
  /** What came of the head of a data: URL; null: it is over, or there is none. */
  let dataUrlHead: Buffer | null = null;

  const all = () => [...elements.values()];
  const size = () => all().filter(({ picture }) => picture !== null).length;

  function elementAt({ element, group }: PicturePlace): Element {
    const found = elements.get(element);
    if (found !== undefined) return found;
    const made: Element = { group, picture: null, url: null, failure: null };
    elements.set(element, made);
    return made;
  }

  async function open(place: PicturePlace, isDataUrl: boolean): Promise<void> {
    const element = elementAt(place);
    current = null;
    if (element.picture !== null) return;
    if (size() >= maxPictures) {
      element.failure = brokenAnswer(`The answer has more than ${maxPictures} pictures.`);
      return;
    }
    await writer.open();
    current = element;
    dataUrlHead = isDataUrl ? Buffer.alloc(0) : null;
  }

  async function write(bytes: Buffer): Promise<void> {
    if (dataUrlHead === null) return writer.write(bytes);
    const comma = bytes.indexOf(COMMA);
    dataUrlHead = Buffer.concat([dataUrlHead, comma === -1 ? bytes : bytes.subarray(0, comma)]);
    const head = dataUrlHead.toString('latin1').trimEnd().toLowerCase();
    if (comma === -1 && head.length <= MAX_DATA_URL_HEAD) return;
    if (comma === -1 || !/;\s*base64$/.test(head)) {
      throw brokenAnswer('A picture in the answer is a data: URL that is not base64.');
    }
    dataUrlHead = null;
    return writer.write(bytes.subarray(comma + 1));
  }

  async function close(element: Element): Promise<void> {
    if (dataUrlHead !== null) throw brokenAnswer('A picture in the answer is an empty data: URL.');
    element.picture = await writer.close();
    element.failure = null;
  }

  /** What is wrong with one image stays with it. */
  async function guarded(element: Element, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof EditsApiError)) throw error;
      element.failure = error;
      current = null;
      await writer.discard();
    }
  }

  return {
    async take(event) {
      if (event.kind === 'open') await open(event, event.isDataUrl);
      else if (event.kind === 'link') elementAt(event).url ??= event.url;
      else if (current === null) return;
      else if (event.kind === 'text') await guarded(current, write(event.bytes));
      else {
        await guarded(current, close(current));
        current = null;
      }
    },
    get size() {
      return size();
    },
    async end() {
      await writer.discard();
      const inOrder = [...elements].toSorted(([a], [b]) => a - b).map(([, element]) => element);
      const group = bestGroup(inOrder);
      for (const element of inOrder) {
        if (element.picture !== null && element.group !== group) {
          await discardStagedFile(element.picture);
        }
      }
      elements.clear();
      return inOrder.filter((element) => group === null || element.group === group);
    },
    async discard() {
      await writer.discard();
      for (const { picture } of all()) if (picture !== null) await discardStagedFile(picture);
      elements.clear();
    },
  };
}

/**
 * The list that is taken: the edits API's own `data` before any other, and images before links. Null:
 * none has anything.
 */
function bestGroup(elements: readonly Element[]): string | null {
  const found = elements.filter(({ picture, url }) => picture !== null || url !== null);
  const best =
    found.find(({ group }) => group === 'data') ??
    found.find(({ picture }) => picture !== null) ??
    found[0];
  return best?.group ?? null;
}
