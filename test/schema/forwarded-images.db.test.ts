import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import {
  cameraExif,
  exifSegment,
  multiImage,
  pngChunk,
  SECRET,
  withJpegSegments,
  withPngChunks,
} from '../support/image-files.ts';
import { jpeg, mask, png } from '../support/test-images.ts';

const EDIT = /* GraphQL */ `
  mutation ($input: EditImageInput!) {
    editImage(input: $input) {
      ... on EditImagePayload { editJob { id status ...Inputs } }
      ... on Error { message }
    }
  }
  fragment Inputs on EditJob {
    inputs { role sentSha256 image { sha256 bytes url } }
    inputImages { sha256 }
  }
`;
const INPUTS = /* GraphQL */ `
  query ($id: ID!) { editJob(id: $id) { status inputs { role sentSha256 image { id } } } }
`;

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** As a phone and an editor write them. */
async function photoAndMask() {
  const first = await jpeg(64, 48);
  const photo = multiImage([
    withJpegSegments(first, [exifSegment(cameraExif('MM', 1))]),
    await jpeg(16, 12),
  ]);
  const plainMask = await mask(64, 48);
  const talkativeMask = withPngChunks(plainMask, 'IEND', [pngChunk('tEXt', `a\0${SECRET}`)]);
  return { photo, plainMask, talkativeMask };
}

describe.runIf(hasDatabase)('the images of an edit', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  const lastFiles = ({ sandbox }: TestApp) => sandbox.stats().lastRequests.at(-1)?.files ?? [];
  const sendOf = async (to: TestApp, photo: Buffer, masking: Buffer) => {
    const input = { images: [{ file: null }], mask: { file: null }, prompt: 'a hat' };
    const files = { 'input.images.0.file': photo, 'input.mask.file': masking };
    const { data, errors } = await to.upload(EDIT, { input }, files);
    expect(errors).toBeUndefined();
    return data.editImage.editJob;
  };

  test('go out as their first image without metadata, and stay as they were uploaded', async () => {
    const { photo, plainMask, talkativeMask } = await photoAndMask();
    const job = await sendOf(app, photo, talkativeMask);
    expect(job.status).toBe('SUCCEEDED');
    const [sentPhoto, sentMask] = lastFiles(app);
    expect(sentPhoto?.bytes).toBeLessThan(photo.length);
    expect(sentMask?.sha256).toBe(hashOf(plainMask));
    expect(job.inputs).toEqual([
      {
        role: 'IMAGE',
        sentSha256: sentPhoto?.sha256,
        image: { sha256: hashOf(photo), bytes: photo.length, url: job.inputs[0].image.url },
      },
      {
        role: 'MASK',
        sentSha256: sentMask?.sha256,
        image: {
          sha256: hashOf(talkativeMask),
          bytes: talkativeMask.length,
          url: job.inputs[1].image.url,
        },
      },
    ]);
    expect(job.inputImages).toEqual([{ sha256: hashOf(photo) }]);
    const served = await fetch(job.inputs[0].image.url);
    expect(Buffer.from(await served.arrayBuffer()).equals(photo)).toBe(true);
  });

  test('are told by their hash before the upstream answers, also of a file sent whole', async () => {
    app.sandbox.faults.push({ kind: 'hang' });
    const picture = await png();
    const input = { images: [{ file: null }], prompt: 'a hat', wait: 0 };
    const { data } = await app.upload(EDIT, { input }, { 'input.images.0.file': picture });
    const { id } = data.editImage.editJob;
    await eventually(async () => {
      const { editJob } = (await app.query(INPUTS, { id })).data;
      expect(editJob.inputs[0].sentSha256).toBe(hashOf(picture));
      expect(editJob.status).toBe('RUNNING');
    });
    await app.query('mutation ($id: ID!) { cancelEdit(input: { id: $id }) { __typename } }', {
      id,
    });
  });

  test('go out as they were uploaded with FORWARD_METADATA=true', async () => {
    const forwarding = await startTestApp({ FORWARD_METADATA: 'true' });
    try {
      const { photo, talkativeMask } = await photoAndMask();
      const job = await sendOf(forwarding, photo, talkativeMask);
      const hashes = [hashOf(photo), hashOf(talkativeMask)];
      expect(lastFiles(forwarding).map(({ sha256 }) => sha256)).toEqual(hashes);
      const sent = job.inputs.map(({ sentSha256 }: { sentSha256: string }) => sentSha256);
      expect(sent).toEqual(hashes);
    } finally {
      await forwarding.stop();
    }
  });
});
