import { createOpenAI } from '@ai-sdk/openai';
import { generateImage } from 'ai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { hasDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { png } from '../../support/test-images.ts';

const IMAGE = await png();

describe.runIf(hasDatabase)(
  'the Vercel AI SDK, which does not say that it repeats a request',
  () => {
    let app: TestApp;
    beforeAll(async () => {
      app = await startTestApp({ EDITS_API_FIRST_HAND: 'false' });
    });
    afterAll(() => app.stop());

    const edit = (text: string, more: Partial<Parameters<typeof generateImage>[0]> = {}) =>
      generateImage({
        model: createOpenAI({ baseURL: `${app.url}/v1`, apiKey: 'k' }).image('gpt-image-1'),
        prompt: { text, images: [IMAGE] },
        providerOptions: { openai: { quality: 'low' } },
        ...more,
      });

    test('gets the image and its usage', async () => {
      const { image, usage } = await edit('one image');
      expect(image.mediaType).toBe('image/png');
      expect(usage.totalTokens).toBeGreaterThan(0);
    });

    test('gets a rejection once', async () => {
      app.sandbox.faults.push({ kind: 'moderation' });
      const { requests } = app.sandbox.stats();
      await expect(edit('blocked')).rejects.toMatchObject({ statusCode: 400, isRetryable: false });
      expect(app.sandbox.stats().requests).toBe(requests + 1);
    });

    test('sends an edit whose outcome is unknown three times, and pays for one', async () => {
      app.sandbox.faults.push({ kind: 'status', status: 502, body: 'html' });
      const { requests } = app.sandbox.stats();
      await expect(edit('unknown')).rejects.toMatchObject({
        reason: 'maxRetriesExceeded',
        lastError: { statusCode: 502 },
      });
      expect(app.sandbox.stats().requests).toBe(requests + 1);
    });

    test('gets the image of the edit that it aborted when it asks again', async () => {
      app.sandbox.faults.push({ kind: 'delay', delayMs: 1_000 });
      const { paid } = app.sandbox.stats();
      const abort = new AbortController();
      const aborted = edit('aborted', { abortSignal: abort.signal });
      await eventually(() => expect(app.sandbox.stats().paid).toBe(paid + 1));
      abort.abort();
      await expect(aborted).rejects.toThrow();
      await eventually(() => expect(app.logged.join('')).toContain('client disconnected'));
      const { responses } = await edit('aborted');
      expect(responses[0]?.headers).toMatchObject({ 'x-retouch-attached': 'true' });
      expect(app.sandbox.stats().paid).toBe(paid + 1);
    });
  },
);
