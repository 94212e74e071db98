import { expect, test } from 'vitest';
import { type Edit, withEarlier, withNews } from '../../src/graphiql/edits/edit.ts';

function edit(minute: number, status: Edit['status'] = 'SUCCEEDED'): Edit {
  return {
    id: `of minute ${minute}`,
    status,
    source: 'GRAPHQL',
    model: 'gpt-image-1',
    resolvedSize: '1024x1024',
    sandbox: true,
    createdAt: `2026-03-01T12:0${minute}:00.000Z`,
    durationMs: null,
    prompt: { text: 'x' },
    inputImages: [],
    mask: null,
    partialImages: [],
    outputImages: [],
    usage: null,
    cost: null,
    error: null,
    costUnresolved: false,
    hasStoredAnswer: false,
    nextAttemptAt: null,
    attempts: [],
  };
}
const news = (editJob: Edit) => ({ editJobId: editJob.id, editJob });

test('news of an edit that was not shown put it where its age says', () => {
  const shown = [edit(5), edit(3)];
  expect(withNews(shown, news(edit(6)))).toEqual([edit(6), edit(5), edit(3)]);
  expect(withNews(shown, news(edit(4)))).toEqual([edit(5), edit(4), edit(3)]);
  expect(withNews(shown, news(edit(1)))).toEqual([edit(5), edit(3), edit(1)]);
});

test('an earlier page adds what is not shown yet, and changes nothing that is', () => {
  const shown = [edit(5), edit(3), edit(1)];
  const earlier = [edit(3, 'RUNNING'), edit(2), edit(1, 'QUEUED'), edit(0)];
  expect(withEarlier(shown, earlier)).toEqual([edit(5), edit(3), edit(2), edit(1), edit(0)]);
  expect(withEarlier(withEarlier(shown, earlier), earlier)).toHaveLength(5);
});
