import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { createModelList } from '../../src/models/model-list.ts';
import { createModelNotes } from '../../src/models/model-notes.ts';
import { createStandings } from '../../src/models/model-standing.ts';
import { createKnownModels, createModels } from '../../src/models/models.ts';

type Dates = Readonly<Record<string, string | null>>;

/**
 * Notes of a service with one upstream that lists `dates`, and one that serves `others` and whose list
 * is not known; `list` changes what the first lists.
 */
function notes(options: {
  default: string;
  allowed?: readonly string[];
  dates: Dates | null;
  others?: readonly string[];
}) {
  let { dates } = options;
  const logged: { level: string; msg: string }[] = [];
  const current = () =>
    new Map(
      dates === null
        ? []
        : [
            [
              'up',
              createModelList(
                Object.entries(dates).map(([id, shutdownDate]) => ({
                  id,
                  shutdownDate,
                  created: null,
                  ownedBy: null,
                })),
              ),
            ],
          ],
    );
  const models = createModels({
    known: createKnownModels(),
    default: options.default,
    allowed: options.allowed ?? null,
    standings: createStandings({
      upstreams: [
        { name: 'up', models: null, isOpenAi: true },
        { name: 'unknown', models: options.others ?? [], isOpenAi: false },
      ],
      lists: { current },
      now: () => new Date('2026-11-29T12:00:00Z'),
    }),
  });
  const { report } = createModelNotes({
    models,
    log: createLog({
      level: 'info',
      destination: { write: (line) => void logged.push(JSON.parse(line)) },
    }),
  });
  return {
    list: (changed: Dates) => {
      dates = changed;
    },
    /** Of this report. */
    report() {
      report();
      return logged.splice(0).map(({ level, msg }) => `${level}: ${msg}`);
    },
  };
}

test('a default model that OpenAI has shut down is a warning that names what to set', () => {
  const [first, ...others] = notes({ default: 'gpt-image-1', dates: null }).report();
  expect(first).toBe(
    'warn: the default model gpt-image-1 was shut down on 2026-10-23: set DEFAULT_MODEL to gpt-image-2',
  );
  expect(others).toEqual([
    'info: other models that end: gpt-image-1-mini will be shut down on 2026-12-01; gpt-image-1.5 will be shut down on 2026-12-01; chatgpt-image-latest will be shut down on 2026-12-01',
  ]);
});

test('a default model that no list has is a warning that names a listed model', () => {
  const { report } = notes({
    default: 'house',
    dates: { 'gpt-image-2.5-flare': null },
    others: ['gpt-image-2'],
  });
  expect(report()[0]).toBe(
    'warn: the default model house is in no list of the upstreams that serve it: set DEFAULT_MODEL to gpt-image-2.5-flare',
  );
});

test('without a known model to replace it, a warning leaves the choice to the list', () => {
  const { report } = notes({ default: 'house', dates: { other: null } });
  expect(report()[0]).toMatch(/set DEFAULT_MODEL to a model that an upstream lists$/);
});

test('an allowed model that ends is a warning, and models that are not allowed are not mentioned', () => {
  const allowed = ['gpt-image-2', 'gpt-image-1.5'];
  expect(notes({ default: 'gpt-image-2', allowed, dates: null }).report()).toEqual([
    'warn: the model gpt-image-1.5 of ALLOWED_MODELS will be shut down on 2026-12-01',
  ]);
});

test('models that stay are not mentioned', () => {
  const dates = { 'gpt-image-2': '2027-06-01' };
  const allowed = ['gpt-image-2'];
  expect(notes({ default: 'gpt-image-2', allowed, dates }).report()).toEqual([]);
});

test('a note is logged again only after it has changed', () => {
  const allowed = ['gpt-image-2'];
  const { report, list } = notes({ default: 'gpt-image-2', allowed, dates: null });
  const ending = ['warn: the default model gpt-image-2 will be shut down on 2026-12-24'];
  const logsEnding = () => report().map((note) => note.replace(/: set .*/, ''));
  list({ 'gpt-image-2': '2026-12-24' });
  expect(logsEnding()).toEqual(ending);
  expect(report()).toEqual([]);
  list({ 'gpt-image-2': null });
  expect(report()).toEqual([]);
  list({ 'gpt-image-2': '2026-12-24' });
  expect(logsEnding()).toEqual(ending);
});
