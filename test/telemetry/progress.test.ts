import { expect, test } from 'vitest';
import { logProgress } from '../../src/telemetry/progress.ts';

test('logs the figures of long work again and again, until it ends', async () => {
  const entries: object[] = [];
  const twice = Promise.withResolvers<void>();
  let seen = 0;
  const log = {
    info(entry: object, message: string) {
      entries.push({ ...entry, message });
      seen += 10;
      if (entries.length === 2) twice.resolve();
    },
  };
  {
    using _progress = logProgress(log, 'sweeping blobs', () => ({ seen }), 1);
    await twice.promise;
  }
  const written = entries.length;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(entries).toHaveLength(written);
  expect(entries).toMatchObject([
    { seen: 0, message: 'sweeping blobs' },
    { seen: 10, message: 'sweeping blobs' },
  ]);
});
