import { afterEach, describe, expect, test } from 'vitest';
import type { FaultInput } from '../../src/sandbox/faults.ts';
import { NO_DRAWING, startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { serve } from '../support/http.ts';
import { EDIT } from '../support/operations.ts';
import { png } from '../support/test-images.ts';

const UPLOAD =
  'mutation($f: Upload!) { uploadImage(input: { file: $f }) { ... on UploadImagePayload { image { id } } } }';
const JOB =
  'query($id: ID!) { editJob(id: $id) { status attempts { number } error { code } usage { totalTokens } } }';
const UPSTREAMS = '{ upstreams { name state pausedUntil reason } }';
const RESUME =
  'mutation($name: String!) { resumeUpstream(input: { name: $name }) { ... on ResumeUpstreamPayload { upstream { state } } } }';

interface Refusal {
  fault: FaultInput;
  httpStatus: number;
  code: string;
  /** Of what the API said; the client reads it. */
  words: RegExp;
}

/** About the one edit: whoever asks for something else is served. */
const OF_THE_EDIT: readonly Refusal[] = [
  {
    fault: { kind: 'moderation' },
    httpStatus: 400,
    code: 'MODERATION_BLOCKED',
    words: /rejected by the safety system/,
  },
  {
    fault: { kind: 'no_model' },
    httpStatus: 404,
    code: 'MODEL_NOT_FOUND',
    words: /model does not exist/,
  },
];

/** About the account: it would be the same for every edit, so the others wait. */
const OF_THE_ACCOUNT: readonly Refusal[] = [
  {
    fault: { kind: 'quota' },
    httpStatus: 429,
    code: 'INSUFFICIENT_QUOTA',
    words: /exceeded your current quota/,
  },
  {
    fault: { kind: 'auth' },
    httpStatus: 401,
    code: 'AUTHENTICATION_FAILED',
    words: /Incorrect API key/,
  },
];

describe.runIf(hasDatabase)('an edit that the edits API refuses for good', () => {
  let app: TestApp;
  let imageId: string;
  afterEach(() => app.stop());

  async function start(env: Record<string, string> = {}): Promise<void> {
    app = await startTestApp({ MAX_EDIT_ATTEMPTS: '5', ...env }, NO_DRAWING);
    const { data } = await app.upload(UPLOAD, { f: null }, { f: await png() });
    imageId = data.uploadImage.image.id;
  }
  async function edit(prompt: string, wait = 30) {
    const { data } = await app.query(EDIT, {
      input: { images: [{ id: imageId }], prompt, wait },
    });
    return data.editImage.editJob;
  }
  const job = async (id: string) => (await app.query(JOB, { id })).data.editJob;
  const stats = () => app.sandbox.stats();

  test.each([...OF_THE_EDIT, ...OF_THE_ACCOUNT])(
    'is FAILED as $code after one POST, unpaid, with nothing kept of it, also after a restart',
    async ({ fault, httpStatus, code, words }) => {
      await start();
      app.sandbox.faults.push(fault);
      const refused = await edit('refused');
      expect(refused).toMatchObject({
        status: 'FAILED',
        error: { code, message: expect.stringMatching(words), retryable: false },
        attempts: [{ number: 1, state: 'FAILED', httpStatus }],
        outputImages: [],
        usage: null,
      });
      await app.restart();
      expect(await job(refused.id)).toEqual({
        status: 'FAILED',
        attempts: [{ number: 1 }],
        error: { code },
        usage: null,
      });
      expect(stats()).toMatchObject({ requests: 1, paid: 0 });
      expect(await filesIn(`${app.dir}/answers`)).toEqual([]);
      expect(await filesIn(`${app.dir}/staging`)).toEqual([]);
    },
  );

  test.each(OF_THE_EDIT)('as $code keeps no other edit waiting', async ({ fault }) => {
    await start();
    app.sandbox.faults.push(fault);
    expect((await edit('refused')).status).toBe('FAILED');
    expect((await edit('another')).status).toBe('SUCCEEDED');
    expect(stats()).toMatchObject({ requests: 2, paid: 1 });
  });

  test.each(OF_THE_ACCOUNT)(
    'as $code has the others wait unsent, also after a restart, until somebody resumes it',
    async ({ fault, words }) => {
      await start();
      app.sandbox.faults.push(fault);
      expect((await edit('refused')).status).toBe('FAILED');
      const before = await edit('before the restart', 0);
      await app.restart();
      const after = await edit('after the restart', 3);
      for (const { id } of [before, after]) {
        expect(await job(id)).toMatchObject({ status: 'QUEUED', attempts: [], error: null });
      }
      const [upstream] = (await app.query(UPSTREAMS)).data.upstreams;
      expect(upstream).toMatchObject({ state: 'PAUSED', reason: expect.stringMatching(words) });
      expect(Date.parse(upstream.pausedUntil)).toBeGreaterThan(Date.now());
      expect(stats()).toMatchObject({ requests: 1, paid: 0 });

      const { data } = await app.query(RESUME, { name: upstream.name });
      expect(data.resumeUpstream.upstream.state).toBe('READY');
      for (const { id } of [before, after]) {
        await eventually(async () => expect((await job(id)).status).toBe('SUCCEEDED'));
      }
      expect(stats()).toMatchObject({ requests: 3, paid: 2 });
    },
  );

  test('with 404 by a server that is no edits API is told that the URL may be wrong', async () => {
    let posts = 0;
    const stranger = await serve((req, res) => {
      if (req.method === 'POST') posts += 1;
      req.resume().on('end', () => res.writeHead(404).end('<h1>Not Found</h1>'));
    });
    await start({ EDITS_API_URL: `${stranger.url}/v1` });
    expect(await edit('lost')).toMatchObject({
      status: 'FAILED',
      error: { code: 'BAD_REQUEST', message: expect.stringContaining('URL'), retryable: false },
      attempts: [{ number: 1, state: 'FAILED', httpStatus: 404 }],
    });
    expect(posts).toBe(1);
  });
});
