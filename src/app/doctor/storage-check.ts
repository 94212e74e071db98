import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '../../errors.ts';
import { createFsBlobStore } from '../../images/storage/fs-blob-store.ts';
import { openBlobStore } from '../../images/storage/open-blob-store.ts';
import { probeBlobs } from '../../images/storage/probe-blobs.ts';
import type { Check } from './check.ts';
import type { DoctorContext } from './context.ts';
import { DATA_DIR } from './data-dir-checks.ts';
import { fault, type Outcome, ok } from './finding.ts';

export const STORAGE_CHECK: Check = {
  name: 'storage',
  settings: ['STORAGE_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'DATA_DIR'],
  after: ({ storage }) => (storage.kind === 'fs' ? DATA_DIR : null),
  run: checkStorage,
};

async function checkStorage({ config }: DoctorContext): Promise<Outcome> {
  const { storage, dataDir } = config;
  if (storage.kind === 's3') {
    const { blobs, close } = await openBlobStore(storage);
    try {
      await probeBlobs({ blobs, dir: tmpdir() });
    } catch (error) {
      return s3Fault(error, storage.bucket);
    } finally {
      close();
    }
    return ok(`the bucket ${storage.bucket} stores, returns and deletes an object`);
  }
  if (!existsSync(storage.dir)) {
    return ok(`${storage.dir} does not exist yet: the first start creates it`);
  }
  const staging = join(dataDir, 'staging');
  try {
    // As images do, it moves from `staging`, which must be on the same file system.
    await probeBlobs({
      blobs: createFsBlobStore(storage),
      dir: existsSync(staging) ? staging : dataDir,
    });
  } catch (error) {
    return fault(
      messageOf(error),
      `Make ${storage.dir} a directory in DATA_DIR, on the same file system, that the user of the service can write to.`,
    );
  }
  return ok(`${storage.dir} stores, returns and deletes a file`);
}

/** By the code of the server or of the socket, which the message of a StorageError contains. */
const S3_FIXES: readonly (readonly [RegExp, string])[] = [
  [
    /NoSuchBucket|PermanentRedirect|IllegalLocation/,
    'Create the bucket in the region of STORAGE_URL, or correct STORAGE_URL.',
  ],
  [
    /InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|Credentials|401/,
    'Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if the key is temporary).',
  ],
  [
    /403|AccessDenied/,
    'Allow the key of AWS_ACCESS_KEY_ID s3:GetObject, s3:PutObject and s3:DeleteObject below the prefix of STORAGE_URL, and s3:ListBucket on the bucket.',
  ],
];

function s3Fault(error: unknown, bucket: string): Outcome {
  const message = messageOf(error);
  const [, fix] = S3_FIXES.find(([code]) => code.test(message)) ?? [];
  return fault(
    `bucket ${bucket}: ${message}`,
    fix ?? 'Start the server of STORAGE_URL, or correct its endpoint, region and pathStyle.',
  );
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const detail = error instanceof StorageError && cause instanceof Error ? cause.message : '';
  return `${error.message.replace(/\.$/, '')}${detail && `: ${detail}`}`;
}
