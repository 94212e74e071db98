import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { findNginx, freePorts, startNginx } from '../support/nginx.ts';
import { type RollingLoad, startRollingLoad } from '../support/rolling-load.ts';
import { startRig } from '../support/service-processes.ts';

const nginx = findNginx();
const canRun = nginx !== null && hasDatabase && inject('databaseKind') === 'postgres';

/** The two blocks of docs/proxies.md for several APIs, at these ports. */
async function documentedSite(port: number, apis: readonly number[]): Promise<string> {
  const docs = await readFile(resolve(import.meta.dirname, '../../docs/proxies.md'), 'utf8');
  const blocks = [...docs.matchAll(/^```nginx\n(.*?)^```$/gms)].map(([, text = '']) => text);
  const upstream = blocks.find((block) => block.startsWith('upstream retouch {')) ?? '';
  const [site = ''] = blocks;
  expect(site).toContain('proxy_pass http://127.0.0.1:4000;');
  return [
    apis.reduce(
      (text, api, i) => text.replace(`127.0.0.1:400${i + 1} `, `127.0.0.1:${api} `),
      upstream,
    ),
    site
      .replace('listen 80;', `listen 127.0.0.1:${port};`)
      .replace('http://127.0.0.1:4000;', 'http://retouch;'),
  ].join('\n');
}

describe.runIf(canRun)('two APIs behind nginx and two workers', () => {
  test('restart one after the other under load: no request fails, and no edit runs twice', async () => {
    const [port = 0, ...apis] = await freePorts(3);
    const url = `http://127.0.0.1:${port}`;
    const api = (i: number) => ({ ROLE: 'api', PORT: String(apis[i]) });
    const worker = { ROLE: 'worker', PORT: '0', MAX_CONCURRENT_EDITS: '4' };
    const common = { PUBLIC_URL: url, TRUSTED_PROXIES: '127.0.0.1', SHUTDOWN_GRACE_SECONDS: '30' };
    // Before the APIs, whose URL is the proxy's.
    await startNginx(nginx ?? '', await documentedSite(port, apis), port, 'crit');
    const rig = await startRig({ ...common, ...api(0) }, { delayMs: 300 });
    const start = (env: Record<string, string>) => rig.startSecond({ ...common, ...env });
    const processes = [
      { env: api(0), process: rig.service },
      ...(await Promise.all(
        [api(1), worker, worker].map(async (env) => ({ env, process: await start(env) })),
      )),
    ];

    const load = startRollingLoad({ url, imageId: rig.imageId });
    onTestFinished(load.stop);
    await untilMore(load);
    for (const { env, process } of processes) {
      expect(await process.stop()).toBe(0);
      await untilMore(load);
      await start(env);
      await untilMore(load);
    }
    await load.stop();

    expect(load.failures).toEqual([]);
    for (const { id } of load.edits) {
      expect(await rig.final(id)).toMatchObject({ status: 'SUCCEEDED', attempts: [{ number: 1 }] });
    }
    const { requests, paid } = await rig.sandbox.stats();
    expect({ requests, paid }).toEqual({ requests: load.edits.length, paid: load.edits.length });
    const names = ['waiting edits', 'subscriptions', 'uploads', 'history'];
    expect(Object.keys(load.counts).sort()).toEqual(names.sort());
  });
});

/** Until each kind of request has ended three times more. */
async function untilMore({ counts, failures }: RollingLoad): Promise<void> {
  const before = { ...counts };
  await eventually(() => {
    // They are shown at the end.
    if (failures.length > 0) return;
    for (const name of ['waiting edits', 'subscriptions', 'uploads', 'history']) {
      expect(counts[name] ?? 0).toBeGreaterThanOrEqual((before[name] ?? 0) + 3);
    }
  });
}
