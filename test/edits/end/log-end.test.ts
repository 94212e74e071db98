import { expect, test } from 'vitest';
import type { CommittedEnd } from '../../../src/edits/end/end-edit.ts';
import { logEnd } from '../../../src/edits/end/log-end.ts';
import { createLog } from '../../../src/log.ts';
import { encodeGlobalId } from '../../../src/public-ids/global-id.ts';

const JOB = '0198c0de-0000-7000-8000-000000000001';
const JOB_FACTS = {
  model: 'gpt-image-2',
  upstream: 'main',
  createdAt: new Date(),
  startedAt: new Date(),
  durationMs: 12_345,
};
const TOKENS = { inputTokens: 300, outputTokens: 1_000 };

function lineOf(end: object) {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  logEnd(log, { jobId: JOB, ownerId: 'shop', job: JOB_FACTS, ...end } as CommittedEnd);
  expect(lines).toHaveLength(1);
  const { time: _, ...line } = JSON.parse(lines[0] ?? '');
  return line;
}

test('one line tells what an edit that succeeded was, used and cost', () => {
  expect(
    lineOf({
      status: 'SUCCEEDED',
      costMicroUsd: 41_200n,
      usage: TOKENS,
      attempts: 2,
      upstreamRequestId: 'req_1',
      errorCode: null,
    }),
  ).toEqual({
    level: 'info',
    msg: 'edit ended',
    edit: encodeGlobalId('EditJob', JOB),
    owner: 'shop',
    status: 'SUCCEEDED',
    model: 'gpt-image-2',
    upstream: 'main',
    attempts: 2,
    durationMs: 12_345,
    tokens: 1_300,
    costUsd: '0.0412',
    upstreamRequestId: 'req_1',
  });
});

test('an unknown outcome is a warning, without the figures that nobody knows', () => {
  const line = lineOf({
    status: 'OUTCOME_UNKNOWN',
    costMicroUsd: null,
    usage: null,
    attempts: 1,
    upstreamRequestId: null,
    errorCode: 'TIMEOUT',
  });
  expect(line).toMatchObject({ level: 'warn', status: 'OUTCOME_UNKNOWN', code: 'TIMEOUT' });
  expect(line).not.toHaveProperty('costUsd');
  expect(line).not.toHaveProperty('tokens');
  expect(line).not.toHaveProperty('upstreamRequestId');
});

test('an edit that was canceled while it waited has no attempts and cost nothing', () => {
  const line = lineOf({
    status: 'CANCELED',
    job: { ...JOB_FACTS, upstream: null, durationMs: null },
    costMicroUsd: 0n,
    usage: null,
    attempts: null,
    upstreamRequestId: null,
    errorCode: null,
  });
  expect(line).toMatchObject({ level: 'info', status: 'CANCELED', costUsd: '0' });
  expect(line).not.toHaveProperty('attempts');
});
