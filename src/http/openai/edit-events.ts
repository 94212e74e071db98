import type { ResultImage } from './edit-result.ts';
import {
  createdAt,
  type EditWithResult,
  resultImages,
  usageOf,
  usedParameters,
} from './edit-result.ts';
import type { BodyPart } from './send-images.ts';

/** What all events of an edit repeat. */
type Parameters = Readonly<Record<'background' | 'output_format' | 'quality' | 'size', string>>;

/** `image_edit.partial_image`, with the requested parameters: the used ones come with the result. */
export function partialImageEvent(
  edit: Pick<EditWithResult, 'background' | 'outputFormat' | 'quality' | 'resolvedSize'>,
  image: ResultImage,
  index: number,
): readonly BodyPart[] {
  return eventOf('image_edit.partial_image', image, {
    created_at: Math.floor(Date.now() / 1_000),
    partial_image_index: index,
    background: edit.background ?? 'auto',
    output_format: edit.outputFormat ?? 'png',
    quality: edit.quality ?? 'auto',
    size: edit.resolvedSize,
  });
}

/**
 * `image_edit.completed`, one for each output image. The usage is that of the whole edit, so only the
 * last one has it.
 */
export function completedEvents(edit: EditWithResult): readonly (readonly BodyPart[])[] {
  const images = resultImages(edit);
  const parameters: Parameters = { background: 'auto', quality: 'auto', ...usedParameters(edit) };
  return images.map((image, index) =>
    eventOf('image_edit.completed', image, {
      created_at: createdAt(edit),
      ...parameters,
      ...(index === images.length - 1 && usageOf(edit)),
    }),
  );
}

function eventOf(type: string, image: ResultImage, fields: object): readonly BodyPart[] {
  const head = JSON.stringify({ type, b64_json: '' });
  return [head.slice(0, -2), image, `",${JSON.stringify(fields).slice(1)}`];
}
