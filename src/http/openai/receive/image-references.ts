import type { JsonObject, JsonValue } from '../../../edits/input/json-object.ts';
import { idOf } from '../../../public-ids/global-id.ts';
import { invalidValue } from './given-values.ts';
import type { ImageSource } from './image-source.ts';
import type { Problems } from './problems.ts';

/** Keys of the document that may contain images. */
export const IMAGE_KEYS: ReadonlySet<string> = new Set(['images', 'image', 'mask']);

/**
 * The images that a JSON document names: objects with an `image_url` or a `file_id`, or just the
 * string, alone or in a list. `received` has those that came inside it, by their placeholders.
 */
export function findImages(
  document: JsonObject,
  options: { received: ReadonlyMap<string, ImageSource>; problems: Problems },
): { images: ImageSource[]; mask: ImageSource | null } {
  const { received, problems } = options;

  const sourceOf = (field: string, value: JsonValue): ImageSource =>
    problems.try(() => {
      if (typeof value === 'string') return ofString(field, value);
      if (typeof value !== 'object' || Array.isArray(value) || value === null) {
        throw wrongShape(field);
      }
      const { file_id: id = null, image_url: given = null } = value;
      if (id !== null && given !== null) {
        throw invalidValue(field, `${field} has an image_url or a file_id, not both.`);
      }
      if (id !== null) {
        if (typeof id !== 'string') throw wrongShape(field);
        return { kind: 'stored' as const, field: `${field}.file_id`, id };
      }
      // As in chat completions: `image_url: { url }`.
      const url = isObject(given) ? given['url'] : given;
      if (typeof url !== 'string') throw wrongShape(field);
      return ofUrl(`${field}.image_url`, url);
    }) ?? { kind: 'received', field, image: null };

  function ofString(field: string, value: string): ImageSource {
    if (idOf('Image', value) !== null) return { kind: 'stored', field, id: value };
    return ofUrl(field, value);
  }

  function ofUrl(field: string, url: string): ImageSource {
    const found = received.get(url);
    if (found !== undefined) return found;
    if (/^https?:\/\//i.test(url)) return { kind: 'url', field, url };
    throw invalidValue(field, `${field} must be a URL that begins with data:, http: or https:.`);
  }

  const listed = ['images', 'image'].flatMap((key) => {
    const value = Object.hasOwn(document, key) ? (document[key] ?? null) : null;
    if (isAbsent(value)) return [];
    if (!Array.isArray(value)) return [sourceOf(key, value)];
    return value.map((item, index) => sourceOf(`${key}[${index}]`, item));
  });
  const mask = Object.hasOwn(document, 'mask') ? (document['mask'] ?? null) : null;
  return {
    images: listed,
    mask: isAbsent(mask) ? null : sourceOf('mask', mask),
  };
}

const isAbsent = (value: JsonValue) => value === null || value === '';

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrongShape(field: string) {
  return invalidValue(
    field,
    `${field} must be an object with an image_url (a data: or https: URL) or a file_id (the id of a stored Image).`,
  );
}
