import { expect, test } from 'vitest';
import { readResults } from '../../../src/edits/end/results.ts';

function revisedPrompt(body: Record<string, unknown>) {
  const answer = { body, httpStatus: 200, upstreamRequestId: null };
  return readResults(
    { price: () => null },
    { status: 'SUCCEEDED', model: 'm', sentAt: new Date(), answer, outputs: [] },
  ).jobColumns.answerRevisedPrompt;
}

test.each<[string, Record<string, unknown>, string | null]>([
  ['of the first image that has one', { data: [{}, { revised_prompt: 'a red hat' }] }, 'a red hat'],
  ['beside the images, as an event stream has it', { revised_prompt: 'a hat' }, 'a hat'],
  ['none, if it is blank or no text', { data: [{ revised_prompt: ' ' }, null, 7] }, null],
  ['none, if there is none', { data: 'nothing' }, null],
])('the revised prompt is %s', (_, body, expected) => {
  expect(revisedPrompt(body)).toBe(expected);
});

test('a revised prompt is cut after 32,000 characters, and stays well-formed', () => {
  const found = revisedPrompt({ data: [{ revised_prompt: `${'x'.repeat(31_999)}🎩` }] });
  expect(found).toHaveLength(32_000);
  expect(String(found).isWellFormed()).toBe(true);
});
