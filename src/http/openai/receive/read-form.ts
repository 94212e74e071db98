import { isUtf8 } from 'node:buffer';
import { InvalidInputError } from '../../../errors.ts';
import type { FileBody } from './file-body.ts';
import { createFormReader } from './form-reader.ts';
import { createFormValues } from './form-values.ts';
import { invalidValue } from './given-values.ts';
import type { ImageIntake } from './image-intake.ts';
import {
  type ImageSource,
  MAX_IMAGES,
  MAX_TEXT_BYTES,
  type RequestContent,
  tooManyImages,
  tooMuchText,
} from './image-source.ts';
import type { PartHeader } from './part-header.ts';
import type { Problems } from './problems.ts';
import type { RequestBody } from './request-body.ts';

/** Enough for the files, every parameter, `extraParams` and metadata, some of them lists. */
const MAX_PARTS = 256;

/** The names under which clients send images, with an index if they number them. */
const IMAGE_NAME = /^images?(?:\[(\d{0,4})\])?$/;

/**
 * Reads a form as SDKs of the edits API send it: parts in any order, images under `image`, `image[]`
 * or `image[n]`. Images have the order in which they came, or that of their numbers.
 *
 * @throws InvalidInputError for too many files or too much text, at once; UnreadableBodyError.
 */
export async function readForm(
  body: Pick<RequestBody, 'next'>,
  options: { boundary: string; intake: ImageIntake; problems: Problems },
): Promise<RequestContent> {
  const { boundary, intake, problems } = options;
  const reader = createFormReader(body, { boundary, maxParts: MAX_PARTS });
  const fields: [string, string][] = [];
  const images: { readonly index: number; readonly source: ImageSource }[] = [];
  let mask: ImageSource | null = null;
  let textBytes = 0;

  async function receive(field: string, bytes: AsyncIterable<Buffer>): Promise<ImageSource> {
    const image = await problems.tryLater(() => intake.take(field, bytes));
    return { kind: 'received', field, image };
  }

  async function readText(name: string, file: FileBody): Promise<string | null> {
    const pieces: Buffer[] = [];
    textBytes += Buffer.byteLength(name);
    for await (const piece of file.stream()) {
      textBytes += piece.length;
      if (textBytes > MAX_TEXT_BYTES) throw tooMuchText(name);
      pieces.push(piece);
    }
    const text = Buffer.concat(pieces);
    return problems.try(() => {
      if (isUtf8(text)) return text.toString();
      throw invalidValue(name, `${name} is not valid UTF-8.`);
    });
  }

  for (let part = await reader.next(); part !== null; part = await reader.next()) {
    const { header } = part;
    const { name } = header;
    const number = IMAGE_NAME.exec(name);
    const isImage = number !== null;
    if ((isImage || name === 'mask') && isFile(header)) {
      const bytes = await givenBytes(header, part.body);
      if (bytes === null) continue;
      if (isImage) {
        if (images.length === MAX_IMAGES) throw tooManyImages('image');
        const index = number[1] ? Number(number[1]) : images.length;
        images.push({ index, source: await receive(`image[${index}]`, bytes) });
      } else {
        if (mask !== null) throw tooManyImages('mask');
        mask = await receive('mask', bytes);
      }
    } else if (header.filename !== null) {
      problems.add(notText(name));
    } else {
      const text = await readText(name, part.body);
      if (text === null) continue;
      if (!isImage && name !== 'mask') fields.push([name, text]);
      else if (text !== '') {
        problems.add(notFile(name));
        const source: ImageSource = { kind: 'received', field: name, image: null };
        if (isImage) images.push({ index: images.length, source });
        else mask = source;
      }
    }
  }
  const inOrder = images.toSorted((a, b) => a.index - b.index).map(({ source }) => source);
  return { values: createFormValues(fields), images: inOrder, mask };
}

/** A part without a file name is a file too, unless its type is text. */
function isFile({ filename, type }: PartHeader): boolean {
  return filename !== null || (type !== null && !type.startsWith('text/'));
}

/** Null for what a browser sends for a file field that was left empty. */
async function givenBytes(
  { filename }: PartHeader,
  body: FileBody,
): Promise<AsyncGenerator<Buffer, void> | null> {
  const bytes = body.stream();
  if (filename !== '') return bytes;
  const first = await bytes.next();
  return first.done ? null : startingWith(first.value, bytes);
}

async function* startingWith(
  first: Buffer,
  rest: AsyncGenerator<Buffer, void>,
): AsyncGenerator<Buffer, void> {
  yield first;
  yield* rest;
}

function notText(name: string): InvalidInputError {
  return invalidValue(
    name,
    `${name} is sent as a file. Only image and mask may be files; send it as text.`,
  );
}

function notFile(name: string): InvalidInputError {
  return new InvalidInputError(
    name,
    'INVALID_VALUE',
    `${name} must be a file, but came as text. Send a file: with curl, -F ${name}=@image.png.`,
  );
}
