import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { slim } from '../../scripts/slim.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { run } from '../support/processes.ts';
import { productionInstall } from '../support/production-install.ts';
import { startS3Server } from '../support/s3-server.ts';
import { jpeg } from '../support/test-images.ts';

/** As `du` counts them: in blocks of 4 KiB, and in units of 1,048,576 bytes. */
async function megabytesIn(dir: string): Promise<number> {
  let kib = 0;
  for (const file of await filesIn(dir)) kib += 4 * Math.ceil((await stat(file)).size / 4_096);
  return kib / 1_024;
}

describe.runIf(hasDatabase)('a slim production install', () => {
  test('has at most 160 MB, edits, stores in S3, makes thumbnails, serves the page and runs commands', async () => {
    const root = await productionInstall();
    slim(root);
    expect(await megabytesIn(join(root, 'node_modules'))).toBeLessThanOrEqual(160);

    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const s3 = await startS3Server();
    const env = { ...database.env, ...s3.env, PORT: '0', NODE_ENV: 'production' };
    const service = run([join(root, 'src/app/start.ts')], env, { cwd: root });
    onTestFinished(service.kill);
    const { url } = JSON.parse(await service.line((line) => line.includes('"msg":"ready"')));

    const client = createGraphqlClient(() => url);
    const { editJob } = await client.editUpload(await jpeg(), { prompt: '把天空改成日落' });
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', error: null });
    const [image] = editJob.outputImages;
    expect(s3.requests.some((request) => request.startsWith('PUT /'))).toBe(true);
    const thumbnail = await fetch(`${image.url}?w=256`);
    expect(thumbnail.headers.get('content-type')).toBe('image/webp');
    const page = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('GraphiQL');

    const command = run([join(root, 'src/cli/main.ts'), 'owners', 'list'], env, { cwd: root });
    expect(await command.exited).toBe(0);
    expect(command.lines.join('\n')).toContain('local');
  });
});
