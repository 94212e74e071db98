import type { Form, FormFile } from './form.ts';
import { MAX_FILE_BYTES } from './form.ts';
import { ApiRefusal, invalidType, missingParameter } from './refusal.ts';

const MAX_IMAGES = 16;
const MAX_MASK_BYTES = 4 * 1024 * 1024;
const FORMATS = ['image/jpeg', 'image/png', 'image/webp'];

export interface InputFiles {
  /** 1-16, in the order of the form. */
  readonly images: readonly FormFile[];
  readonly mask: FormFile | null;
}

/**
 * Finds the images among the form's parts, by their declared names and types. Several images are
 * repeated `image[]` (official) or `image` (compatible servers).
 * @throws ApiRefusal if there is none or too many, or if one is too large or of another type.
 */
export function pickFiles(form: Form): InputFiles {
  const images = form.files.filter((file) => file.field === 'image' || file.field === 'image[]');
  const masks = form.files.filter((file) => file.field === 'mask');
  for (const [name] of form.fields) {
    const param = name === 'image[]' ? 'image' : name;
    if (param === 'image' || param === 'mask') throw invalidType(param, 'a file, but got a string');
  }
  if (images.length === 0) throw missingParameter('image');
  if (images.length > MAX_IMAGES) {
    throw new ApiRefusal(
      `Invalid 'image': array too long. Expected an array with maximum length ${MAX_IMAGES}, ` +
        `but got an array with length ${images.length} instead.`,
      { param: 'image', code: 'array_above_max_length' },
    );
  }
  if (masks.length > 1) {
    throw new ApiRefusal("Duplicate parameter: 'mask'.", {
      param: 'mask',
      code: 'duplicate_parameter',
    });
  }
  for (const file of images) checkFile('image', file, FORMATS, MAX_FILE_BYTES);
  const mask = masks[0] ?? null;
  if (mask !== null) checkFile('mask', mask, ['image/png'], MAX_MASK_BYTES);
  return { images, mask };
}

function checkFile(
  param: 'image' | 'mask',
  file: FormFile,
  formats: readonly string[],
  maxBytes: number,
): void {
  if (file.tooLarge || file.bytes > maxBytes) {
    throw new ApiRefusal(
      `Invalid '${param}': file too large. Each must be at most ${maxBytes / 1024 / 1024} MB.`,
      { param, code: 'file_above_max_size' },
    );
  }
  if (!formats.includes(file.contentType)) {
    const list = new Intl.ListFormat('en').format(formats.map((one) => `'${one}'`));
    throw new ApiRefusal(
      `Invalid file '${param}': unsupported mimetype ('${file.contentType}'). ` +
        `Supported file formats are ${list}.`,
      { param, code: 'unsupported_file_mimetype' },
    );
  }
}
