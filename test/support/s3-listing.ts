import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { filesIn } from './directory.ts';

const SUFFIX = '._S3rver_object';

/** Keys of what S3rver stores for a bucket, in the order of S3. */
export async function keysIn(bucketDir: string): Promise<string[]> {
  const files = await filesIn(bucketDir);
  return files
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(bucketDir.length + 1, -SUFFIX.length))
    .sort();
}

/**
 * ListObjectsV2, in place of S3rver's own: that one lists out of order, fails after a page, and
 * computes the signature of a listing wrong.
 */
export async function listObjects(
  bucketDir: string,
  query: URLSearchParams,
  pageSize: number,
): Promise<string> {
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  const prefix = query.get('prefix') ?? '';
  const keys = (await keysIn(bucketDir)).filter((key) => key > after && key.startsWith(prefix));
  const page = keys.slice(0, pageSize);
  const contents = await Promise.all(
    page.map(async (key) => {
      const { mtime } = await stat(join(bucketDir, `${key}${SUFFIX}`));
      return `<Contents><Key>${key}</Key><LastModified>${mtime.toISOString()}</LastModified></Contents>`;
    }),
  );
  const next =
    keys.length > page.length
      ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
      : '<IsTruncated>false</IsTruncated>';
  return `<?xml version="1.0"?><ListBucketResult>${next}${contents.join('')}</ListBucketResult>`;
}
