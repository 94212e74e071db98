import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHECKS } from '../../src/app/doctor/checks.ts';
import { splitFix } from '../../src/app/doctor/explain.ts';
import { formatFinding } from '../../src/app/doctor/finding.ts';
import { loadConfig } from '../../src/config/config.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { startNode } from '../support/node-process.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

describe('doctor', () => {
  test.each([
    ['an embedded database', {}],
    ['a server', { DATABASE_URL: 'postgres://127.0.0.1/x' }],
  ])('has checks of different names, each after one that is above it, with %s', (_, env) => {
    const config = loadConfig(env);
    const names = CHECKS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const [index, check] of CHECKS.entries()) {
      const after = check.after?.(config) ?? null;
      if (after !== null) expect(names.slice(0, index)).toContain(after);
    }
  });

  test('prints a finding on one line, and its fix on the next', () => {
    const finding = {
      check: 'disk',
      status: 'fault',
      message: 'a\nb\u001b[31m',
      fix: 'c',
    } as const;
    expect(formatFinding(finding)).toBe('FAULT  disk: a b [31m\n       fix: c\n');
    expect(formatFinding({ ...finding, status: 'ok', fix: null })).toBe('ok     disk: a b [31m\n');
  });

  test('separates the remedy of a message, and names the setting in it', () => {
    expect(splitFix('DATABASE_URL: no such host: correct its name.')).toEqual({
      message: 'DATABASE_URL: no such host',
      fix: 'DATABASE_URL: correct its name.',
    });
    expect(splitFix('HOST is x: set PORT.').fix).toBe('set PORT.');
    expect(splitFix('nothing to do')).toEqual({ message: 'nothing to do', fix: null });
  });

  test.each([
    ['no font at all', '', 'cannot write prompts'],
    [
      'no Chinese font',
      '<dir>/usr/share/fonts/truetype/dejavu</dir>',
      'cannot write Chinese and Japanese prompts',
    ],
  ])('warns that there is %s for the sandbox', async (_, fonts, words) => {
    const dir = await temporaryDirectory();
    const config = join(dir, 'fonts.conf');
    await writeFile(config, `<?xml version="1.0"?><fontconfig>${fonts}</fontconfig>`);
    const { ended, output } = startNode([MAIN, 'doctor'], {
      cwd: dir,
      env: { FONTCONFIG_FILE: config, PORT: '0', DATA_DIR: join(dir, 'data') },
    });
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(output.stdout).toMatch(
      new RegExp(`^warn   fonts: .*${words}.*\n {7}fix: .*FONTCONFIG_FILE`, 'm'),
    );
  });
});
