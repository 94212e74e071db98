import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { EXAMPLE_CLIENTS, type ExampleClient } from '../support/example-clients.ts';
import { png } from '../support/pictures.ts';

describe.runIf(inject('hasExamples'))('an example’s client', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp();
  });
  afterAll(() => app?.stop());

  describe.each(EXAMPLE_CLIENTS)('$name', ({ connect }) => {
    let client: ExampleClient;
    beforeEach(async () => {
      client = await connect(`${app.url}/graphql`);
    });
    const picture = async () => new File([new Uint8Array(await png())], 'picture.png');

    test('uploads, watches the edit with its pictures on the way, and finds it in the history', async () => {
      app.sandbox.faults.push({ kind: 'delay', delayMs: 500 });
      const prompt = crypto.randomUUID();
      const { editImage } = await client.edit(
        { prompt, partialImages: 2, wait: 0 },
        await picture(),
      );
      const { id } = editImage.editJob;

      const seen = new Set<string>();
      let outputs: unknown;
      for await (const { editJob: news } of client.watch(id)) {
        const { status, partialImages = [], outputImages } = news.editJob;
        seen.add(status);
        if (news.partialImage || partialImages.length > 0) seen.add('a picture on the way');
        if (status === 'SUCCEEDED') {
          outputs = outputImages;
          break;
        }
      }
      expect([...seen].slice(-3)).toEqual(['RUNNING', 'a picture on the way', 'SUCCEEDED']);
      expect(outputs).toMatchObject([{ url: expect.stringMatching(/\/images\//) }]);

      const { data } = await app.query(
        'query ($id: ID!) { editJob(id: $id) { prompt { text } inputImages { width height } } }',
        { id },
      );
      expect(data.editJob).toEqual({
        prompt: { text: prompt },
        inputImages: [{ width: 64, height: 48 }],
      });
      const { editJobs } = await client.history();
      expect(editJobs.edges[0].node.status).toBe('SUCCEEDED');
    });

    test('is told what is wrong with an input', async () => {
      const { editImage } = await client.edit({ prompt: '', wait: 0 }, await picture());
      expect(editImage.message).toMatch(/prompt/i);
    });

    test('is told that there is no such edit to watch', async () => {
      const watching = Array.fromAsync(client.watch('nonsense'));
      await expect(watching).rejects.toThrow('does not exist');
    });
  });
});
