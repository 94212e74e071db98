import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultModelOf } from '../../src/app/upstreams.ts';
import { loadConfig } from '../../src/config/config.ts';
import { defaultModel } from '../../src/models/default-model.ts';
import { temporaryDirectory } from '../support/directory.ts';

const upstream = (url: string, models: string[] | null = null) => ({ url, models });
const OPENAI = 'https://api.openai.com/v1';
const RELAY = 'https://api.chatanywhere.tech/v1';

test.each([
  ['gpt-image-2 at OpenAI', [upstream(OPENAI)], 'gpt-image-2'],
  [
    'gpt-image-2 at a regional name of OpenAI',
    [upstream('https://EU.api.openai.com/v1')],
    'gpt-image-2',
  ],
  ['gpt-image-1 at any other server', [upstream(RELAY)], 'gpt-image-1'],
  [
    'gpt-image-1 at a server whose name only looks alike',
    [upstream('https://api.openai.com.example/v1')],
    'gpt-image-1',
  ],
  [
    'gpt-image-1 at one whose path does',
    [upstream('https://relay.example/api.openai.com/v1')],
    'gpt-image-1',
  ],
  ['gpt-image-1 in the sandbox', [upstream('')], 'gpt-image-1'],
  ['that of the first upstream', [upstream(OPENAI), upstream(RELAY)], 'gpt-image-2'],
  [
    'that of the first upstream that serves it',
    [upstream(OPENAI, ['gpt-image-2.6-flare']), upstream(RELAY, ['gpt-image-1'])],
    'gpt-image-1',
  ],
  [
    'the first model of the first upstream when none serves its own',
    [upstream(OPENAI, ['gpt-image-2.6-flare', 'gpt-image-1']), upstream(RELAY, ['house-model'])],
    'gpt-image-2.6-flare',
  ],
] as const)('the default model is %s', (_, upstreams, expected) => {
  expect(defaultModel(upstreams)).toBe(expected);
});

test('the default model is by the upstreams as they are configured, the first by priority first', async () => {
  const path = join(await temporaryDirectory(), 'upstreams.json');
  const named = { name: 'a', key: 'k' };
  const upstreams = [
    { ...named, url: RELAY, priority: 2 },
    { ...named, name: 'b', url: `${OPENAI}/`, priority: 1 },
  ];
  await writeFile(path, JSON.stringify(upstreams));
  const of = (env: Record<string, string>) => defaultModelOf(loadConfig(env).editsApi);
  expect(await of({ EDITS_API_FILE: path })).toBe('gpt-image-2');
  expect(await of({ EDITS_API_URL: OPENAI, EDITS_API_KEY: 'k' })).toBe('gpt-image-2');
  expect(await of({ EDITS_API_URL: RELAY, EDITS_API_KEY: 'k' })).toBe('gpt-image-1');
  expect(await of({})).toBe('gpt-image-1');
  expect(loadConfig({ DEFAULT_MODEL: 'mine' }).models.default).toBe('mine');
});
