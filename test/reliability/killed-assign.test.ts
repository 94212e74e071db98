import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { run } from '../support/processes.ts';
import { startRig } from '../support/service-processes.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');
const ASSIGN = [CLI, 'owners', 'assign', '--from', 'local', '--to', 'ann'];
const AUTH = {
  AUTH_HEADER: 'x-user',
  TRUSTED_PROXIES: '127.0.0.1',
  SECRET_KEY: randomBytes(32).toString('base64'),
};

/** What the process imports first, which kills it as it writes a line of progress. */
const killAtLine = (pattern: RegExp) => `
  const { write } = process.stderr;
  process.stderr.write = function (text, ...more) {
    if (${pattern}m.test(text)) process.kill(process.pid, 'SIGKILL');
    return write.call(this, text, ...more);
  };`;

/** The same, as it removes a file, after some others. */
const KILL_AT_REMOVAL = `
  import { promises } from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { rm } = promises;
  let removed = 0;
  promises.rm = (path, ...more) => {
    if (removed++ === 3) process.kill(process.pid, 'SIGKILL');
    return rm(path, ...more);
  };
  syncBuiltinESMExports();`;

const importOf = (source: string) => [
  '--import',
  `data:text/javascript,${encodeURIComponent(source)}`,
];

/** Every edit by its id, with the hashes of its images as the service serves them. */
async function historyAt(url: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: '{"query":"{ editJobs { nodes { id inputImages { url } outputImages { url } } } }"}',
  });
  const { data } = await response.json();
  const entries = [];
  for (const { id, inputImages, outputImages } of data.editJobs.nodes) {
    const hashes = [];
    for (const image of [...inputImages, ...outputImages]) {
      const served = await fetch(image.url);
      expect(served.status).toBe(200);
      const bytes = Buffer.from(await served.arrayBuffer());
      hashes.push(createHash('sha256').update(bytes).digest('hex'));
    }
    entries.push([id, hashes] as const);
  }
  return Object.fromEntries(entries);
}

describe.runIf(hasDatabase)('owners assign', () => {
  test.each([
    ['when the images are copied and no row has moved', killAtLine(/^EditAttempt: /), 0],
    ['before the rows that have moved are committed', killAtLine(/^Image: /), 0],
    ['while it removes the images of the old owner', KILL_AT_REMOVAL, 1],
  ])('that is killed %s loses no edit and no image', async (_, source, exitOfRepeat) => {
    const rig = await startRig();
    for (const prompt of ['a fox', 'a wood']) await rig.final(await rig.submit(prompt));
    const before = await historyAt(rig.service.url);
    expect(Object.keys(before)).toHaveLength(2);
    await rig.service.kill();

    const killed = run([...importOf(source), ...ASSIGN], rig.env);
    await killed.exited;
    expect(killed.child.signalCode, killed.lines.join('\n')).toBe('SIGKILL');

    await rig.restart();
    expect(await historyAt(rig.service.url)).toEqual(exitOfRepeat === 0 ? before : {});
    await rig.service.kill();
    const repeat = run(ASSIGN, rig.env);
    expect(await repeat.exited, repeat.lines.join('\n')).toBe(exitOfRepeat);
    if (exitOfRepeat === 1) expect(repeat.lines).toContain('The owner "local" has no history.');

    await rig.restart(AUTH);
    expect(await historyAt(rig.service.url, { 'x-user': 'ann' })).toEqual(before);
  });
});
