import { type EditUpload, ownCopy, uploadOf } from '../../test/support/edit-upload.ts';

const BOUNDARY = 'the-boundary-of-large-forms';

/**
 * A request of the edits API, as `editUpload` makes one of GraphQL: with a copy of `png` that has a
 * text of its own inside.
 */
export function formUpload(options: {
  fields: Readonly<Record<string, string | number>>;
  png: Buffer;
}): EditUpload {
  const disposition = `--${BOUNDARY}\r\nContent-Disposition: form-data; name=`;
  const fields = Object.entries(options.fields).map(
    ([name, value]) => `${disposition}"${name}"\r\n\r\n${value}\r\n`,
  );
  const pieces = [
    Buffer.from(
      `${fields.join('')}${disposition}"image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`,
    ),
    ...ownCopy(options.png),
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ];
  return uploadOf(BOUNDARY, pieces);
}
