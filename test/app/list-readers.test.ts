import { expect, onTestFinished, test } from 'vitest';
import { listingUpstreams, openUpstreams } from '../../src/app/upstreams.ts';
import { createLog } from '../../src/log.ts';
import { NO_TRACES } from '../../src/telemetry/traces.ts';
import { temporaryStorage } from '../support/storage.ts';

const remote = (url: string) =>
  ({ kind: 'remote', url, key: 'k', imageField: 'image', firstHand: null }) as const;

async function readersOf(editsApi: Parameters<typeof openUpstreams>[0]['editsApi']) {
  const { staging } = await temporaryStorage();
  const log = createLog({ level: 'silent' });
  const { listReaders, close } = await openUpstreams({ editsApi, staging, traces: NO_TRACES, log });
  onTestFinished(close);
  return listReaders.map(({ upstream }) => upstream);
}

test('an upstream is asked for its models, unless it is the built-in sandbox or Azure', async () => {
  expect(await readersOf(remote('https://api.openai.com/v1'))).toEqual(['default']);
  expect(await readersOf(remote('https://azure.com.example/v1'))).toEqual(['default']);
  expect(await readersOf(remote('https://us.openai.azure.com/openai/v1'))).toEqual([]);
  expect(await readersOf({ kind: 'sandbox', delayMs: 0 })).toEqual([]);
});

test.each([
  ['https://api.openai.com/v1', true],
  ['https://eu.api.openai.com/v1', true],
  ['https://openai.example/v1', false],
])('the catalogue’s dates count for %s: %s', async (url, isOpenAi) => {
  expect(await listingUpstreams(remote(url))).toEqual([
    { name: 'default', models: null, isOpenAi },
  ]);
});
