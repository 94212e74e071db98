import { expect, test } from 'vitest';
import { modelNotice } from '../../src/graphiql/workbench/model-notice.ts';

const model = {
  id: 'm',
  isDefault: true,
  isListed: true,
  shutdownDate: '2026-12-01',
  state: 'AVAILABLE',
};

test('a default model that ends or has ended is noted, with its date if it has one', () => {
  expect(modelNotice([{ ...model, state: 'ENDING' }])).toContain('will be shut down on 2026-12-01');
  expect(modelNotice([{ ...model, state: 'RETIRED' }])).toContain('was shut down on 2026-12-01');
  const gone = { ...model, state: 'RETIRED', isListed: false, shutdownDate: null };
  expect(modelNotice([gone])).toContain('no longer listed');
});

test('a default model that stays, and other models that end, are not noted', () => {
  const other = { ...model, id: 'o', isDefault: false, state: 'RETIRED' };
  expect(modelNotice([other, model])).toBeNull();
  expect(modelNotice([other])).toBeNull();
  expect(modelNotice([{ ...model, state: 'SOMETHING_NEW' }])).toBeNull();
});
