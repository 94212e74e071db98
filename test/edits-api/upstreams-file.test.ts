import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isFirstHandHost, readUpstreamsFile } from '../../src/edits-api/upstreams-file.ts';
import { temporaryDirectory } from '../support/directory.ts';

const OFFICIAL = { name: 'official', url: 'https://api.openai.com/v1', key: 'k' };
const RELAY = { name: 'relay', url: 'https://relay.example/v1/', key: 'k' };

async function read(entries: readonly object[], firstHand: boolean | null = null) {
  const path = join(await temporaryDirectory(), 'upstreams.json');
  await writeFile(path, JSON.stringify(entries));
  return readUpstreamsFile(path, firstHand);
}

describe('an upstream', () => {
  it.each([
    ['https://api.openai.com/v1', true],
    ['https://API.OpenAI.com:443/v1', true],
    ['https://api.chatanywhere.tech/v1', false],
    ['https://api.openai.com.relay.example/v1', false],
    ['https://relay.example/api.openai.com/v1', false],
    ['http://127.0.0.1:4010/v1', false],
  ])('at %s is first-hand by its host: %s', (url, firstHand) => {
    expect(isFirstHandHost(url)).toBe(firstHand);
  });

  it('of the file is first-hand as it says, else as EDITS_API_FIRST_HAND says, else by its host', async () => {
    const entries = [OFFICIAL, RELAY, { ...RELAY, name: 'own', firstHand: true }];
    const all = async (set: boolean | null) =>
      (await read(entries, set)).map(({ firstHand }) => firstHand);
    expect(await all(null)).toEqual([true, false, true]);
    expect(await all(false)).toEqual([false, false, true]);
    expect(await all(true)).toEqual([true, true, true]);
  });

  it('is not read from a file in which firstHand is not a boolean', async () => {
    await expect(read([{ ...RELAY, firstHand: 'yes' }])).rejects.toThrow(/firstHand/);
  });
});
