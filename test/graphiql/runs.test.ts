import { getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import type { Edit } from '../../src/graphiql/edits/edit.ts';
import { editsOfRun } from '../../src/graphiql/results/run-edits.ts';
import { createRuns, editIdsIn, promptsOf, type Run } from '../../src/graphiql/results/runs.ts';
import { encodeGlobalId } from '../../src/public-ids/global-id.ts';

const UUID = '01890a5d-ac96-774b-bcce-b302099a8057';
const EDIT = encodeGlobalId('EditJob', UUID);
const OTHER = encodeGlobalId('EditJob', UUID.replace('8057', '8058'));
const operation = (text: string) => getOperationAST(parse(text)) ?? null;

test('finds the ids of edits in a response, and takes nothing else for one', () => {
  const response = {
    a: { editJob: { id: EDIT, images: [{ id: encodeGlobalId('Image', UUID) }] } },
    b: [{ id: OTHER }, null, EDIT.slice(0, -4), 'EditJob', 1],
  };
  expect(editIdsIn(response)).toEqual([EDIT, OTHER]);
});

test('reads the prompts of the edits that an operation submits', () => {
  const prompts = (text: string, variables = {}) => promptsOf(operation(text), variables);
  expect(
    prompts('mutation($i: I!) { editImage(input: $i) { x } }', { i: { prompt: 'p' } }),
  ).toEqual(['p']);
  expect(
    prompts(
      'mutation($p: P) { a: editImage(input: { prompt: $p }) { x } b: editImage(input: { prompt: "q" }) { x } }',
      {
        p: 'p',
      },
    ),
  ).toEqual(['p', 'q']);
  expect(prompts('mutation { retryEdit(input: { id: "x" }) { x } }')).toEqual([]);
  expect(prompts('mutation { deleteEdit(input: { id: "x" }) { x } }')).toBeNull();
  expect(prompts('{ editImage { x } }')).toBeNull();
});

test('a run has the edits that its response names, else those submitted while it ran', () => {
  const at = Date.parse('2026-03-01T12:00:00Z');
  const edit = (id: string, seconds: number, text = 'p') =>
    ({ id, createdAt: new Date(at + seconds * 1_000).toISOString(), prompt: { text } }) as Edit;
  const edits = [edit('later', 60), edit('other prompt', 5, 'q'), edit('its', 5), edit('old', -60)];
  const run: Run = { startedAt: at, endedAt: at + 10_000, prompts: ['p'], editIds: [] };
  const of = (changes: Partial<Run>) =>
    editsOfRun({ ...run, ...changes }, edits, (id) => edits.find((one) => one.id === id)).map(
      ({ id }) => id,
    );
  expect(of({})).toEqual(['its']);
  expect(of({ endedAt: null })).toEqual(['later', 'its']);
  expect(of({ prompts: [] })).toEqual(['other prompt', 'its']);
  expect(of({ prompts: null })).toEqual([]);
  expect(of({ editIds: ['old', 'unknown'] })).toEqual(['old']);
});

test('a run that another has replaced changes nothing any more', () => {
  const runs = createRuns();
  runs.showTabs(['one', 'two'], 'one');
  const first = runs.begin({ prompts: null, startedAt: 1 });
  const second = runs.begin({ prompts: [], startedAt: 2 });
  first.result({ id: EDIT });
  first.end(3);
  expect(runs.active()).toEqual({ prompts: [], startedAt: 2, endedAt: null, editIds: [] });
  second.result({ id: OTHER });
  runs.showTabs(['one', 'two'], 'two');
  expect(runs.active()).toBeNull();
  second.end(4);
  runs.showTabs(['one', 'two'], 'one');
  expect(runs.active()).toMatchObject({ endedAt: 4, editIds: [OTHER] });
  runs.showTabs(['two'], 'two');
  runs.showTabs(['one', 'two'], 'one');
  expect(runs.active()).toBeNull();
});
