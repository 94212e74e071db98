import { expect, test } from 'vitest';
import { runBench } from '../../bench/results/run-bench.ts';
import { temporaryDirectory } from '../support/directory.ts';

test('a bench that fails is a section with the reason, and without figures', async () => {
  const section = await runBench(
    { name: 'forward', title: 'Forwarding', quick: ['--no-such-option'] },
    {
      isQuick: true,
      place: { machine: 'a machine', versions: 'some', load: 0, cores: 2 },
      scratchDir: await temporaryDirectory(),
    },
  );
  expect(section).toMatchObject({ name: 'forward', isQuick: true, rows: [] });
  expect(section.failure).toMatch(/'--no-such-option'.*\(exit code 1\)$/);
});
