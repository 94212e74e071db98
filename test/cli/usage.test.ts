import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../support/command-line.ts';
import { temporaryDirectory } from '../support/directory.ts';

const ROOT = join(import.meta.dirname, '../..');

/** No command may get as far as a database. */
const run = (...args: string[]) => runCommandLine({ DATA_DIR: '/dev/null/nowhere' }, ...args);

describe('the command line', () => {
  test('is the program retouch of the package, and of the image', async () => {
    const { bin, version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    expect(await readFile(join(ROOT, 'Dockerfile'), 'utf8')).toContain(
      `RUN ln -s /app/${bin.retouch} /usr/local/bin/retouch\n`,
    );
    const dir = await temporaryDirectory();
    const link = join(dir, 'retouch');
    await symlink(join(ROOT, bin.retouch), link);
    const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`;
    const { stdout, stderr } = await promisify(execFile)(link, ['--version'], {
      cwd: dir,
      env: { PATH },
    });
    expect({ stdout, stderr }).toEqual({ stdout: `${version}\n`, stderr: '' });
  });

  test.each([
    [[], 'No command specified.'],
    [['nope'], 'Unknown command nope.'],
    [['keys'], 'No command specified.'],
    [['keys', 'nope'], 'Unknown command nope.'],
    [['keys', 'create', '--owner', 'a'], 'Missing required argument: --scope.'],
    [['keys', 'list', '--owner'], "Option '--owner <value>' argument missing."],
    [['keys', 'list', '--nope'], "Unknown option '--nope'."],
    [['keys', 'list', 'more'], 'Unexpected argument more.'],
    [['keys', 'revoke'], 'Missing required positional argument: KEY.'],
    [['owners', 'disable', 'a', 'b'], 'Unexpected argument b.'],
    [['doctor', 'more'], 'Unexpected argument more.'],
    [['doctor', '--json=yes'], "Option '--json' does not take an argument."],
    [['start', '--now'], "Unknown option '--now'."],
  ])('prints the usage on stderr and exits with 2 for %j', async (args, reason) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(`USAGE retouch`);
    expect(stderr).toContain(reason);
  });

  test.each([
    [['keys', 'create', '--owner', 'a', '--scope', 'all'], '--scope must be read, edit or admin'],
    [['keys', 'create', '--owner', 'a', '--scope', 'read', '--expires', '2027-02-30'], '--expires'],
    [['keys', 'create', '--owner', 'a', '--scope', 'read', '--expires', '90'], '--expires must be'],
    [['keys', 'rotate', 'id', '--overlap', 'long'], '--overlap must be a duration'],
  ])('prints one sentence and exits with 1 for %j', async (args, words) => {
    const { exitCode, stdout, stderr } = await run(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr.trimEnd()).toMatch(/^[^\n]+\.$/);
  });

  test('names the setting that keeps it from the data, in one sentence', async () => {
    const { exitCode, stderr } = await run('keys', 'list');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^DATA_DIR "\/dev\/null\/nowhere" cannot be used .*\.\n$/);
  });

  test('prints the usage of a command on stdout for --help', async () => {
    for (const [args, usage] of [
      [
        ['--help'],
        'USAGE retouch start|doctor|backup|restore|verify|copy|keys|owners|reprice|export',
      ],
      [['keys', '--help'], 'USAGE retouch keys create|list|rotate|revoke'],
      [['keys', 'create', '-h'], '--scope=<read|edit|admin>'],
    ] as const) {
      const { exitCode, stdout, stderr } = await run(...args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toContain(usage);
    }
  });

  test('prints the version of package.json for --version', async () => {
    const { version } = JSON.parse(
      await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'),
    );
    expect(await run('--version')).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });
});
