import { describe, expect, test } from 'vitest';
import { createModelList, type ListedModel } from '../../src/models/model-list.ts';
import { createStandings, type ListingUpstream } from '../../src/models/model-standing.ts';
import { createKnownModels } from '../../src/models/models.ts';

const known = createKnownModels();
const OPENAI: ListingUpstream = { name: 'openai', models: null, isOpenAi: true };
const RELAY: ListingUpstream = { name: 'relay', models: null, isOpenAi: false };

/** Only what an entry differs in. */
type Entry = Partial<ListedModel> & { readonly id: string };
const listOf = (entries: readonly Entry[]) =>
  createModelList(
    entries.map((entry) => ({ created: null, ownedBy: null, shutdownDate: null, ...entry })),
  );

function standing(
  id: string,
  upstreams: readonly ListingUpstream[],
  lists: Readonly<Record<string, readonly Entry[]>> = {},
  today = '2026-11-29',
) {
  const current = new Map(Object.entries(lists).map(([name, list]) => [name, listOf(list)]));
  const standings = createStandings({
    upstreams,
    lists: { current: () => current },
    now: () => new Date(`${today}T12:00:00Z`),
  });
  return standings.of(known.get(id));
}

describe('the end of a model', () => {
  test('is the catalogue’s date at OpenAI while its list is not known', () => {
    expect(standing('gpt-image-1', [OPENAI])).toMatchObject({
      shutdownDate: '2026-10-23',
      isListed: null,
      state: 'RETIRED',
    });
  });

  test('is that of the list where it names one, whatever the catalogue says', () => {
    const lists = { openai: [{ id: 'gpt-image-1', shutdownDate: '2027-06-01' }] };
    expect(standing('gpt-image-1', [OPENAI], lists)).toMatchObject({
      shutdownDate: '2027-06-01',
      isListed: true,
      state: 'AVAILABLE',
    });
  });

  test('is not known at a compatible server that names none, which keeps models', () => {
    const expected = { shutdownDate: '2026-10-23', state: 'AVAILABLE' };
    expect(standing('gpt-image-1', [RELAY])).toMatchObject({ ...expected, isListed: null });
    const lists = { relay: [{ id: 'gpt-image-1' }] };
    expect(standing('gpt-image-1', [RELAY], lists)).toMatchObject({ ...expected, isListed: true });
  });

  test('comes when the last upstream that serves it ends it', () => {
    const until = (date: string | null) => [{ id: 'gpt-image-2', shutdownDate: date }];
    const both = (one: string | null, other: string | null) =>
      standing('gpt-image-2', [OPENAI, RELAY], { openai: until(one), relay: until(other) });
    expect(both('2026-11-01', '2026-12-24')).toMatchObject({
      shutdownDate: '2026-12-24',
      state: 'ENDING',
    });
    expect(both('2026-11-01', '2026-11-02').state).toBe('RETIRED');
    expect(both('2026-11-01', null).state).toBe('AVAILABLE');
  });

  test.each([
    ['2026-11-28', 'RETIRED'],
    ['2026-11-29', 'ENDING'],
    ['2027-01-28', 'ENDING'],
    ['2027-01-29', 'AVAILABLE'],
  ])('on %s, seen on 2026-11-29, makes it %s', (shutdownDate, state) => {
    const lists = { relay: [{ id: 'm', shutdownDate }] };
    expect(standing('m', [RELAY], lists)).toMatchObject({ shutdownDate, state });
  });
});

describe('a model that no list has', () => {
  test('is retired once the lists of all upstreams that serve it are known', () => {
    const others = [{ id: 'gpt-image-2' }];
    expect(standing('house', [OPENAI, RELAY], { openai: others, relay: others })).toMatchObject({
      isListed: false,
      state: 'RETIRED',
    });
    expect(standing('house', [OPENAI, RELAY], { openai: others })).toMatchObject({
      isListed: null,
      state: 'AVAILABLE',
    });
  });

  test('is not measured by the lists of upstreams that do not serve it', () => {
    const upstreams = [{ ...OPENAI, models: ['gpt-image-2'] }, RELAY];
    const lists = { openai: [{ id: 'house' }], relay: [{ id: 'gpt-image-2' }] };
    expect(standing('house', upstreams, lists)).toMatchObject({
      isListed: false,
      state: 'RETIRED',
    });
  });

  test('is not retired if no upstream serves it: that is another problem', () => {
    expect(
      standing('house', [{ ...RELAY, models: ['other'] }], { relay: [{ id: 'other' }] }),
    ).toEqual({ shutdownDate: null, isListed: null, state: 'AVAILABLE', listing: null });
  });
});

describe('a dated snapshot', () => {
  const lists = (...dates: (string | null)[]) => ({
    relay: dates.map((shutdownDate, i) => ({ id: `house-2026-01-0${i + 1}`, shutdownDate })),
  });

  test('that is listed shows that its model is, with the last date of all snapshots', () => {
    expect(standing('house', [RELAY], lists('2026-12-02', '2026-12-01'))).toMatchObject({
      isListed: true,
      shutdownDate: '2026-12-02',
      state: 'ENDING',
      listing: null,
    });
    expect(standing('house', [RELAY], lists('2026-01-01', null)).state).toBe('AVAILABLE');
  });

  test('is not listed if only its model is', () => {
    const found = standing('house-2026-01-01', [RELAY], { relay: [{ id: 'house' }] });
    expect(found).toMatchObject({ isListed: false, state: 'RETIRED' });
  });

  test('is found for its model only at upstreams that serve it', () => {
    const current = new Map([
      ['openai', listOf([{ id: 'house-2026-01-01' }])],
      ['relay', listOf([{ id: 'house-2026-02-02' }, { id: 'house' }, { id: 'home-2026-03-03' }])],
    ]);
    const { listedSnapshots } = createStandings({
      upstreams: [{ ...OPENAI, models: ['gpt-image-2'] }, RELAY],
      lists: { current: () => current },
    });
    expect(listedSnapshots('house')).toEqual(['house-2026-02-02']);
  });
});

test('the listing of a model is that of the first upstream that has the model itself', () => {
  const lists = {
    openai: [{ id: 'gpt-image-2-2026-04-21', created: 1 }],
    relay: [
      { id: 'gpt-image-2', created: 2, ownedBy: 'us' },
      { id: 'gpt-image-2', created: 3 },
    ],
  };
  expect(standing('gpt-image-2', [OPENAI, RELAY], lists).listing).toMatchObject({
    created: 2,
    ownedBy: 'us',
  });
});
