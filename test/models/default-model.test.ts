import { expect, test } from 'vitest';
import { defaultModel } from '../../src/models/default-model.ts';

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
