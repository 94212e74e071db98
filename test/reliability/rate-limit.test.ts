import { afterEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { EDIT } from '../support/operations.ts';
import { type Relay, type RelayResponse, startRelay } from '../support/relay.ts';
import { png } from '../support/test-images.ts';

const EDITS = 14;
/** After so many the relay accepts none, for so long from the first one that it rejects. */
const LIMIT = 5;
const WINDOW_MS = 1_500;
const UPLOAD =
  'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }';
const JOBS = '{ editJobs(first: 14) { edges { node { status attempts { state } } } } }';

interface Edge {
  node: { status: string; attempts: object[] };
}

function limited(message: string): RelayResponse {
  return {
    status: 429,
    body: { error: { message, type: 'input-images', param: null, code: 'rate_limit_exceeded' } },
  };
}

describe.runIf(hasDatabase)('a burst over a rate limit', () => {
  let app: TestApp;
  let relay: Relay;
  afterEach(async () => {
    await app.stop();
    await relay.stop();
  });

  test.each([
    [
      'that says when to try again',
      'Too many images: limit 5, used 5, requested 1. Try again in 1.6s.',
    ],
    ['that says nothing', 'Too many requests.'],
  ])('%s ends with every edit made, at the pace of the whole upstream', async (_, message) => {
    let accepted = 0;
    let rejectedAtMs: number | null = null;
    relay = await startRelay(() => {
      const now = performance.now();
      if (rejectedAtMs !== null && now - rejectedAtMs > WINDOW_MS) {
        accepted = 0;
        rejectedAtMs = null;
      }
      accepted += 1;
      if (accepted <= LIMIT) return null;
      rejectedAtMs ??= now;
      return limited(message);
    });
    // Fewer attempts than some edits meet the limit.
    app = await startTestApp({ EDITS_API_URL: relay.url, MAX_EDIT_ATTEMPTS: '1' });
    const { data } = await app.upload(UPLOAD, { f: null }, { f: await png() });
    const images = [{ id: data.uploadImage.image.id }];
    await Promise.all(
      Array.from({ length: EDITS }, (_, i) =>
        app.query(EDIT, { input: { images, prompt: `edit ${i}`, wait: 0 } }),
      ),
    );
    const jobs = await eventually(
      async () => {
        const { edges } = (await app.query(JOBS)).data.editJobs;
        const statuses = edges.map(({ node }: Edge) => node.status);
        expect(statuses).toEqual(Array.from({ length: EDITS }, () => 'SUCCEEDED'));
        return edges;
      },
      { interval: 250 },
    );
    const attempts = jobs.flatMap(({ node }: Edge) => node.attempts);
    const rejected = relay.posts - EDITS;
    expect(attempts).toHaveLength(relay.posts);
    expect(rejected).toBeGreaterThan(0);
    // The first burst, then a probe at a time: each edit for itself would make many more.
    expect(rejected).toBeLessThanOrEqual(2 * EDITS);
  });
});
