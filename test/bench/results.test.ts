import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BENCHES } from '../../bench/results/benches.ts';
import { renderResults, withSpread } from '../../bench/results/render.ts';
import { reasonOf } from '../../bench/results/run-bench.ts';
import type { Place, Section } from '../../bench/results/section.ts';
import type { Row } from '../support/report.ts';

const ROOT = join(import.meta.dirname, '../..');
const PLACE: Place = {
  machine: 'A processor, 2 cores',
  versions: 'Retouch 0.1.0 (abc), Node v24',
  load: 0.1,
  cores: 2,
};
const MET: Row = {
  what: 'an edit of 25 MB alone',
  floor: '200 ms',
  service: '220 ms',
  runs: { floor: [190, 200, 260], service: [210, 220, 300] },
  bar: { value: 1.1, atMost: 1.15, unit: 'x' },
};
const MISSED: Row = {
  what: '  memory in total',
  service: '500 MB',
  bar: { value: 500, atMost: 440, unit: 'MB' },
};

function section(name: string, more: Partial<Section> = {}): Section {
  const startedAt = '2026-01-02T03:04:05.000Z';
  const common = { title: `About ${name}`, startedAt, seconds: 130, isQuick: false };
  return { name, ...common, place: PLACE, rows: [MET], ...more };
}

/** What stands between one heading and the next. */
function below(markdown: string, heading: string): string {
  const [, text = ''] = markdown.split(`## ${heading}\n`);
  return text.split('\n## ')[0] ?? '';
}

describe('RESULTS.md', () => {
  test('shows each figure with its spread, ratio, threshold and verdict', () => {
    const text = renderResults([section('forward')], ['forward']);
    expect(below(text, 'About forward')).toContain(
      '| an edit of 25 MB alone | 200 ms (190..260) | 220 ms (210..300) | 1.10 x | <= 1.15 x | PASS |',
    );
    expect(below(text, 'About forward')).toContain('`npm run bench:forward`');
  });

  test('begins with the machine, the versions and the load', () => {
    const [head] = renderResults([section('forward')], ['forward']).split('## Misses');
    expect(head).toContain('| machine | A processor, 2 cores |');
    expect(head).toContain('| versions | Retouch 0.1.0 (abc), Node v24 |');
    expect(head).toContain('| load at the start | 0.10 on 2 cores |');
    expect(head).not.toContain('busy');
  });

  test('lists every miss first, by the name of the row that it continues', () => {
    const sections = [section('forward', { rows: [MET, MISSED] }), section('door')];
    const text = renderResults(sections, ['forward', 'door']);
    expect(below(text, 'Misses').trim().split('\n').slice(2)).toEqual([
      '| forward | an edit of 25 MB alone: memory in total | 500 MB | <= 440 MB |',
    ]);
    expect(text.indexOf('## Misses')).toBeLessThan(text.indexOf('## About forward'));
    expect(below(text, 'About forward')).toContain('| **FAIL** |');
  });

  test('says so when no threshold is missed', () => {
    const text = renderResults([section('forward')], ['forward']);
    expect(below(text, 'Misses').trim()).toBe('None: every threshold is met.');
  });

  test('counts a bench that did not finish among the misses', () => {
    const broken = section('images', { rows: [], failure: 'this bench needs nginx' });
    const text = renderResults([broken], ['images']);
    expect(below(text, 'Misses')).toContain('| images | did not finish: this bench needs nginx |');
    expect(below(text, 'About images')).toContain('**Did not finish: this bench needs nginx**');
  });

  test('names the benches that have not run yet, and shows the others in their order', () => {
    const text = renderResults([section('door'), section('forward')], ['forward', 'page', 'door']);
    expect(text).toContain('Not run yet: page.');
    expect(text.indexOf('## About forward')).toBeLessThan(text.indexOf('## About door'));
  });

  test('marks fewer runs, and a machine that was busy', () => {
    const text = renderResults(
      [section('forward', { isQuick: true, place: { ...PLACE, load: 3 } })],
      ['forward'],
    );
    expect(below(text, 'About forward')).toContain('**Quick: fewer runs than by default.**');
    expect(text).toContain('**The machine was busy with other work');
  });

  test('marks a section from another commit than the newest, and only that one', () => {
    const older = { ...PLACE, versions: 'Retouch 0.1.0 (older), Node v24' };
    const text = renderResults(
      [
        section('forward', { place: older, startedAt: '2026-01-01T00:00:00.000Z' }),
        section('door'),
      ],
      ['forward', 'door'],
    );
    expect(below(text, 'About forward')).toContain(
      '| versions | Retouch 0.1.0 (older), Node v24 |',
    );
    expect(below(text, 'About door')).not.toContain('versions');
    expect(text.split('## Misses')[0]).toContain('| versions | Retouch 0.1.0 (abc), Node v24 |');
  });

  test('marks a section that was measured beside other work in an earlier run', () => {
    const busy = { ...PLACE, load: 3 };
    const text = renderResults(
      [section('forward', { place: busy, startedAt: '2026-01-01T00:00:00.000Z' }), section('door')],
      ['forward', 'door'],
    );
    expect(below(text, 'About forward')).toContain('**The machine was busy');
    expect(below(text, 'About door')).not.toContain('busy');
  });

  test('has tables of other columns, notes, and an explanation by hand at the end of its section', () => {
    const table = { title: 'Peers', columns: ['', 'one edit'], lines: [['a|b', '5 ms']] };
    const text = renderResults(
      [section('peers', { rows: [], tables: [table], notes: ['A note.'] }), section('door')],
      ['peers', 'door'],
      { peers: 'Why it is slow.\n' },
    );
    const own = below(text, 'About peers');
    expect(own).toContain('|  | one edit |\n| --- | --- |\n| a\\|b | 5 ms |');
    expect(own.trim().endsWith('A note.\n\nWhy it is slow.')).toBe(true);
    expect(below(text, 'About door')).not.toContain('Why it is slow.');
  });
});

test('a figure of one run has no spread', () => {
  expect(withSpread('5 ms', [5])).toBe('5 ms');
  expect(withSpread('5 ms', [4.5, 5, 12.25])).toBe('5 ms (4.50..12.3)');
  expect(withSpread('', [1, 2])).toBe('');
});

test('the reason of a failure is the last error, or else how the process ended', () => {
  const stderr = 'TypeError: first\n    at x\n\nError: this bench needs nginx\n    at y\n';
  expect(reasonOf(stderr, 'exit code 1')).toBe('this bench needs nginx (exit code 1)');
  expect(reasonOf('run 1 of 5\n', 'SIGKILL')).toBe('SIGKILL');
});

test('`npm run bench` runs every bench, and each has a script', async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const files = (await readdir(join(ROOT, 'bench'))).filter((name) => name.endsWith('.ts'));
  const names = BENCHES.map(({ name }) => name);
  expect(['all.ts', ...names.map((name) => `${name}.ts`)].toSorted()).toEqual(files.toSorted());
  for (const name of names) expect(scripts[`bench:${name}`]).toMatch(` bench/${name}.ts`);
});
