import { describe, expect, test } from 'vitest';
import { reportModules } from '../../scripts/module-report.ts';

const limits = { modules: 3, chain: 3, functionLines: 4, looseFiles: ['main.ts'] };

function report(sources: Record<string, string>, changed: Partial<typeof limits> = {}) {
  return reportModules({
    sources: new Map(Object.entries(sources)),
    order: ['low', 'middle', 'high', 'main.ts'],
    page: 'page',
    limits: { ...limits, ...changed },
  });
}

const SOUND = {
  'low/a.ts': 'export const a = 1;',
  'low/sub/b.ts': "export * from '../a.ts';",
  'middle/c.ts': "import type { a } from '../low/a.ts';",
  'main.ts': "await import('./middle/c.ts');",
};

describe('the check of modules', () => {
  test('accepts imports that go down, and counts a folder with its subfolders once', () => {
    const { figures, problems } = report(SOUND);
    expect(problems).toEqual([]);
    expect(figures).toMatchObject({
      modules: 3,
      imports: 2,
      longestChain: ['main.ts', 'middle', 'low'],
    });
  });

  test('rejects more modules than allowed', () => {
    expect(report(SOUND, { modules: 2 }).problems).toEqual(['3 modules; at most 2 are allowed.']);
  });

  test('rejects a longer chain of imports than allowed', () => {
    expect(report(SOUND, { chain: 2 }).problems).toEqual([
      '3 modules in a chain of imports; at most 2 are allowed: main.ts -> middle -> low.',
    ]);
  });

  test.each([
    ['of a value', "import { c } from '../middle/c.ts';"],
    ['of a type', "import type { C } from '../middle/c.ts';"],
    ['by an export', "export { c } from '../middle/c.ts';"],
    ['when it runs', "const c = () => import('../middle/c.ts');"],
  ])('rejects an import upward %s', (_, source) => {
    const { problems } = report({ 'low/a.ts': source, 'middle/c.ts': '' });
    expect(problems).toEqual(['low/a.ts imports upward: low is below middle.']);
  });

  test('rejects a cycle, and names its modules', () => {
    const { problems } = report({ ...SOUND, 'low/a.ts': "import '../middle/c.ts';" });
    expect(problems).toContain('Cycle: low -> middle -> low.');
  });

  test('rejects a loose file that is not one of the allowed ones', () => {
    const { problems } = report({ 'helpers.ts': '' });
    expect(problems).toContain(
      'helpers.ts is a loose file: move it to the module that it belongs to.',
    );
  });

  test('rejects a module without a place in the order, except the page', () => {
    expect(report({ 'page/main.tsx': '', 'other/a.ts': '' }).problems).toEqual([
      'other has no place in scripts/modules.ts.',
    ]);
  });

  test.each([
    ['function', 'export function f(): void {\n  a();\n  b();\n}'],
    ['arrow function', 'const f = () => {\n  a();\n  b();\n};'],
    ['method', 'const o = {\n  f() {\n    a();\n    b();\n  },\n};'],
    ['method of a class', 'class C {\n  #f() {\n    a();\n    b();\n  }\n}'],
  ])('rejects a %s that is too long, and accepts it one line shorter', (_, source) => {
    const find = (functionLines: number) => report({ 'low/a.ts': source }, { functionLines });
    expect(find(4).problems).toEqual([]);
    expect(find(3).problems).toEqual([
      expect.stringMatching(/^low\/a\.ts:[12] has a function of 4 lines; at most 3 are allowed\.$/),
    ]);
  });

  test('fails on a file that it cannot parse', () => {
    expect(() => report({ 'low/a.ts': 'const = 1;' })).toThrow('low/a.ts: ');
  });
});
