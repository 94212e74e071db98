import { describe, expect, onTestFinished, test } from 'vitest';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { limitMemory } from '../support/memory-limit.ts';
import { peakRssBytesOf } from '../support/process-stats.ts';
import { startSandboxProcess, startService } from '../support/processes.ts';
import { noisePng } from '../support/test-images.ts';

const LIMIT_BYTES = 512_000_000;
const IMAGE_BYTES = 25_000_000;

const isLinux = process.platform === 'linux';
if (!isLinux) {
  process.stderr.write('\nSKIPPED: memory can be limited and measured on Linux only.\n\n');
}

describe.runIf(hasDatabase && isLinux)('a machine that gives 512 MB of memory', () => {
  test('is enough for the very first start, an edit of 25 MB, and a start after it', {
    timeout: 240_000,
  }, async () => {
    const database = await createTestDatabase({ isMigrated: false });
    onTestFinished(() => database.drop());
    const sandbox = await startSandboxProcess({}, ({ kill }) => onTestFinished(kill));
    const limit = limitMemory(LIMIT_BYTES);
    onTestFinished(() => eventually(async () => limit?.remove()));
    const start = () =>
      startService(
        { ...database.env, EDITS_API_URL: sandbox.url, EDITS_API_KEY: 'sk-test-canary' },
        ({ kill }) => onTestFinished(kill),
        limit?.procs,
      );
    const peaks: number[] = [];
    for (const wait of [120, 120]) {
      const service = await start();
      const client = createGraphqlClient(() => service.url);
      const { editJob } = await client.editUpload(await noisePng(IMAGE_BYTES), {
        prompt: 'larger than most',
        wait,
      });
      expect(editJob.status).toBe('SUCCEEDED');
      peaks.push(await peakRssBytesOf(service.child.pid ?? 0));
      expect(await service.stop()).toBe(0);
    }
    const [first, later] = peaks.map((bytes) => `${Math.round(bytes / 1e6)} MB`);
    const how = limit ? 'in a memory cgroup' : 'by its sampled peak';
    process.stdout.write(`\nPeak of a first start ${first}, of a later one ${later}, ${how}.\n`);
    expect(await limit?.kills()).toBe(limit ? 0 : undefined);
    expect(Math.max(...peaks)).toBeLessThan(LIMIT_BYTES);
  });
});
