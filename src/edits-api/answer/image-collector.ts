import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import { EditsApiError } from '../edits-api-error.ts';
import { brokenAnswer } from './answer-errors.ts';
import type { ImageWriter } from './image-writer.ts';
import type { ImagePlace } from './json-position.ts';
import type { ScanEvent } from './json-scanner.ts';

/** Longest `data:image/…;base64,`. */
const MAX_DATA_URL_HEAD = 256;
const COMMA = 0x2c;

/** The image in one element of a response. */
export interface ImageElement {
  readonly image: StagedFile | null;
  /** URL of the image, in addition or only. */
  readonly url: string | null;
  /** Why there is no image although the element has a value. */
  readonly failure: EditsApiError | null;
  /** See `groupOf`. */
  readonly group: string;
}

/**
 * Stages the images that a scanner finds in one JSON document. A broken image does not affect the
 * others, which are paid for.
 */
export interface ImageCollector {
  /** @throws StorageError */
  take(event: ScanEvent): Promise<void>;
  /** Number of staged images. */
  readonly size: number;
  /**
   * Returns the elements of the image list in order; the caller owns them. Removes images outside
   * of that list, such as those of a copy of it.
   */
  end(): Promise<ImageElement[]>;
  /** Removes every staged image, finished or not. */
  discard(): Promise<void>;
}

type Element = { -readonly [Name in keyof ImageElement]: ImageElement[Name] };

export function createImageCollector(options: {
  writer: ImageWriter;
  maxImages: number;
}): ImageCollector {
  const { writer, maxImages } = options;
  const elements = new Map<number, Element>();
  /** The element whose image is being written; null to skip the text. */
  let current: Element | null = null;
  /** The head of a data: URL as far as it arrived; null if it is complete or absent. */
  let dataUrlHead: Buffer | null = null;

  const all = () => [...elements.values()];
  const size = () => all().filter(({ image }) => image !== null).length;

  function elementAt({ element, group }: ImagePlace): Element {
    const found = elements.get(element);
    if (found !== undefined) return found;
    const made: Element = { group, image: null, url: null, failure: null };
    elements.set(element, made);
    return made;
  }

  async function open(place: ImagePlace, isDataUrl: boolean): Promise<void> {
    const element = elementAt(place);
    current = null;
    if (element.image !== null) return;
    if (size() >= maxImages) {
      element.failure = brokenAnswer(`The response has more than ${maxImages} images.`);
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
      throw brokenAnswer('An image in the response is a data: URL that is not base64.');
    }
    dataUrlHead = null;
    return writer.write(bytes.subarray(comma + 1));
  }

  async function close(element: Element): Promise<void> {
    if (dataUrlHead !== null) throw brokenAnswer('An image in the response is an empty data: URL.');
    element.image = await writer.close();
    element.failure = null;
  }

  /** An error of one image does not affect the others. */
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
        if (element.image !== null && element.group !== group) {
          await discardStagedFile(element.image);
        }
      }
      elements.clear();
      return inOrder.filter((element) => group === null || element.group === group);
    },
    async discard() {
      await writer.discard();
      for (const { image } of all()) if (image !== null) await discardStagedFile(image);
      elements.clear();
    },
  };
}

/**
 * The list to use: `data` of the edits API first, and images before links. Null if there is none.
 */
function bestGroup(elements: readonly Element[]): string | null {
  const found = elements.filter(({ image, url }) => image !== null || url !== null);
  const best =
    found.find(({ group }) => group === 'data') ??
    found.find(({ image }) => image !== null) ??
    found[0];
  return best?.group ?? null;
}
