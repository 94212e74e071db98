import { decodeDataUrl } from './data-url.ts';
import type { ImageIntake } from './image-intake.ts';
import { findImages, IMAGE_KEYS } from './image-references.ts';
import {
  type ImageSource,
  MAX_FILES,
  MAX_IMAGES,
  type RequestContent,
  tooManyImages,
} from './image-source.ts';
import { createJsonReader } from './json-reader.ts';
import { createJsonValues } from './json-values.ts';
import type { Problems } from './problems.ts';
import type { RequestBody } from './request-body.ts';

/**
 * Reads a JSON body. The images inside it are received as they arrive.
 * @throws InvalidInputError for too many images or too much text, at once; UnreadableBodyError.
 */
export async function readJson(
  body: Pick<RequestBody, 'next'>,
  { intake, problems }: { intake: ImageIntake; problems: Problems },
): Promise<RequestContent> {
  const reader = createJsonReader(body, { imageKeys: IMAGE_KEYS });
  const received = new Map<string, ImageSource>();
  for (let found = await reader.next(); found !== null; found = await reader.next()) {
    const { field, placeholder, body: text } = found;
    if (received.size === MAX_FILES) throw tooManyImages(field);
    const bytes = decodeDataUrl(field, text.stream());
    const image = await problems.tryLater(() => intake.take(field, bytes));
    received.set(placeholder, { kind: 'received', field, image });
  }
  const document = reader.document();
  const { images, mask } = findImages(document, { received, problems });
  if (images.length > MAX_IMAGES) throw tooManyImages('images');
  return { values: createJsonValues(document), images, mask };
}
