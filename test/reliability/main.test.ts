import { once } from 'node:events';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { NODE_FLAGS } from '../../src/app/node-options.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { startNode } from '../support/node-process.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const EXIT_CONFIG = 78;
const EXIT_TEMPORARY = 75;

/** The command of `npm start`, in a directory of its own, with no variable but these. */
async function start(dir: string, env: Record<string, string> = {}) {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const [node, ...args] = String(scripts.start).split(' ');
  expect(node).toBe('node');
  const script = args.map((arg) => (arg.startsWith('src/') ? join(ROOT, arg) : arg));
  return startNode(script, { cwd: dir, env: { PORT: '0', ...env } });
}

const READY = /"url":"(http:\/\/127\.0\.0\.1:\d+)".*"msg":"ready"/;

describe.runIf(inject('databaseKind') === 'pglite')('the process', () => {
  test('starts from nothing, says where to look and that the sandbox is on, and stops on SIGTERM', async () => {
    const dir = await temporaryDirectory();
    const service = await start(dir);
    const [, url] = await service.untilStdout(READY);

    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(200);
    const page = await fetch(`${url}/graphql`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain('GraphiQL');

    service.kill('SIGTERM');
    expect(await service.ended).toEqual({ exitCode: 0, signal: null });
    const { stdout, stderr } = service.output;
    expect(stderr).toContain(`${url}/graphql`);
    expect(stderr).toContain('SANDBOX');
    expect(stderr).toContain('EDITS_API_URL');
    expect(stderr).toContain('embedded, in ./data');
    for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level');
  });

  test('starts by `retouch start`, through a link, with the same flags and in the same process', async () => {
    const dir = await temporaryDirectory();
    const link = join(dir, 'retouch');
    await symlink(join(ROOT, 'src/cli/main.ts'), link);
    const service = await startNode(['--disable-warning=ExperimentalWarning', link, 'start'], {
      cwd: dir,
      env: { PORT: '0' },
    });
    const [, url] = await service.untilStdout(READY);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const command = await readFile(`/proc/${service.pid}/cmdline`, 'utf8');
    for (const flag of NODE_FLAGS) expect(command.split('\0')).toContain(flag);
    expect(command).toContain('src/main.ts');
    service.kill('SIGTERM');
    expect(await service.ended).toEqual({ exitCode: 0, signal: null });
  });

  test('leaves nothing in the way of the next start when it is killed; until then it keeps others out', async () => {
    const dir = await temporaryDirectory();
    const killed = await start(dir);
    await killed.untilStdout(READY);

    const second = await start(dir);
    expect(await second.ended).toEqual({ exitCode: EXIT_CONFIG, signal: null });
    expect(second.output.stderr).toContain(`is in use by process ${killed.pid} `);

    killed.kill('SIGKILL');
    await killed.ended;
    const next = await start(dir);
    const [, url] = await next.untilStdout(READY);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    next.kill('SIGINT');
    expect(await next.ended).toEqual({ exitCode: 0, signal: null });
  });

  test.each(['api', 'worker'])(
    'ends with status 78 as %s without a database to share',
    async (ROLE) => {
      const service = await start(await temporaryDirectory(), { ROLE });
      expect(await service.ended).toEqual({ exitCode: EXIT_CONFIG, signal: null });
      expect(service.output.stderr).toContain(`ROLE is ${ROLE} but DATABASE_URL is not set`);
    },
  );

  test('ends with status 75 where a restart may help, else with 78, and says what is wrong in one line', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void taken.close());
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const dir = await temporaryDirectory();
    await writeFile(join(dir, 'file'), '');
    for (const [exitCode, env, words] of [
      [
        EXIT_TEMPORARY,
        { DATABASE_URL: 'postgres://u:canary@127.0.0.1:1/x' },
        /: DATABASE_URL: the database .*ECONN/,
      ],
      [
        EXIT_TEMPORARY,
        { PORT: String(port) },
        new RegExp(`127.0.0.1:${port} is already in use.*PORT`),
      ],
      [
        EXIT_TEMPORARY,
        { PORT: '0', METRICS_PORT: String(port) },
        new RegExp(`127.0.0.1:${port} is already in use: set METRICS_HOST and METRICS_PORT`),
      ],
      [EXIT_CONFIG, { DATA_DIR: join(dir, 'file') }, /DATA_DIR .*file.* must be a directory/],
    ] as const) {
      const cwd = await temporaryDirectory();
      const service = await start(cwd, { ...env, LOG_LEVEL: 'silent' });
      expect(await service.ended).toEqual({ exitCode, signal: null });
      const lines = service.output.stderr
        .split('\n')
        .filter((line) => /^(Retouch| {4}at )/.test(line));
      expect(lines).toEqual([expect.stringMatching(words)]);
      expect(lines[0]).not.toContain('canary');
      if ('PORT' in env) expect(await readdir(cwd)).toEqual([]);
    }
  });

  test('ends with status 78 on a bad configuration, and lists all of it without a stack', async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, '.env'), 'EDITS_API_KEY=sk-canary\nHOST=0.0.0.0\n');
    const service = await start(dir, { LOG_LEVEL: 'loud' });

    expect(await service.ended).toEqual({ exitCode: EXIT_CONFIG, signal: null });
    const { stdout, stderr } = service.output;
    expect(stderr.trim().split('\n')).toEqual([
      'Retouch cannot start:',
      expect.stringMatching(/^ {2}- LOG_LEVEL is "loud": /),
      expect.stringMatching(/^ {2}- EDITS_API_KEY is set but EDITS_API_URL is not: /),
      expect.stringMatching(/^ {2}- HOST is "0\.0\.0\.0"/),
    ]);
    expect(stderr).not.toContain('sk-canary');
    expect(stdout).toBe('');
  });
});
