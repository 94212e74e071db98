import { chmod, mkdir, stat } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CommandRun, Commands } from '../../src/admin/commands/commands.ts';
import { ServiceFailedError } from '../../src/admin/socket/protocol.ts';
import { serveCommands } from '../../src/admin/socket/serve-commands.ts';
import { connectCommands } from '../../src/admin/socket/socket-commands.ts';
import {
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  StorageError,
} from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { QUIET } from '../support/test-commands.ts';

const NO_COMMANDS = {} as Commands;

/** Commands that are served on the socket of a directory, and a client of it. */
async function serve(
  commands: Partial<Commands>,
  { dir, logged = [] }: { dir?: string; logged?: string[] } = {},
) {
  const place = dir ?? (await temporaryDirectory());
  const log = createLog({
    level: 'warn',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const server = await serveCommands({ dir: place, commands: commands as Commands, log });
  onTestFinished(() => server.close());
  const path = join(place, 'admin.sock');
  return { server, path, dir: place, connect: () => connectCommands(path) };
}

describe('the socket', () => {
  test('passes inputs, progress and results on', async () => {
    const { connect } = await serve({
      listKeys: async ({ ownerId }, { note, progress }) => {
        note(`looking for ${ownerId}`);
        // Too many of one step are not all passed on.
        for (let done = 1; done <= 1000; done += 1) progress('keys', done, 1000);
        return [];
      },
    });
    const commands = await connect();
    const notes: string[] = [];
    const progress: unknown[] = [];
    const run: CommandRun = {
      ...QUIET,
      note: (line) => notes.push(line),
      progress: (...step) => progress.push(step),
    };
    expect(await commands?.listKeys({ ownerId: 'alice' }, run)).toEqual([]);
    expect(notes).toEqual(['looking for alice']);
    expect(progress[0]).toEqual(['keys', 1, 1000]);
    expect(progress.at(-1)).toEqual(['keys', 1000, 1000]);
    expect(progress.length).toBeLessThan(1000);
  });

  test.each([
    new InvalidInputError('name', 'REQUIRED', 'name must not be empty.', {
      others: [{ field: 'scopes', code: 'REQUIRED', message: 'scopes must contain READ.' }],
    }),
    new NotFoundError('Owner', 'nobody'),
    new ForbiddenError('no'),
    new StorageError('The disk failed.'),
  ])('throws the error of the command, of the same class: $name', async (error) => {
    const { connect } = await serve({
      listOwners: async () => {
        throw error;
      },
    });
    const commands = await connect();
    await expect(commands?.listOwners({}, QUIET)).rejects.toStrictEqual(error);
  });

  test('hides the words of a defect, and logs them', async () => {
    const logged: string[] = [];
    const { connect } = await serve(
      {
        listOwners: async () => {
          throw new Error('canary');
        },
      },
      { logged },
    );
    const commands = await connect();
    await expect(commands?.listOwners({}, QUIET)).rejects.toThrow(/its log has the error/);
    expect(logged.join()).toContain('canary');
  });

  test('has the mode 600, also before anybody can connect, and is removed at the end', async () => {
    const { path, server, connect } = await serve(NO_COMMANDS);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await connect()).not.toBeNull();
    await server.close();
    await expect(stat(path)).rejects.toThrow('ENOENT');
    expect(await connect()).toBeNull();
  });

  test('is neither opened nor trusted in a directory that other users can write to', async () => {
    const dir = await temporaryDirectory();
    await chmod(dir, 0o770);
    const logged: string[] = [];
    const { path } = await serve(NO_COMMANDS, { dir, logged });
    await expect(stat(path)).rejects.toThrow('ENOENT');
    expect(logged.join()).toContain('chmod go-w');

    const other = await serve(NO_COMMANDS);
    await chmod(other.dir, 0o707);
    await expect(other.connect()).rejects.toThrow(/cannot be trusted: run `chmod go-w`/);
  });

  test('works in a directory whose path is longer than the address of a socket may be', async () => {
    const dir = join(await temporaryDirectory(), 'd'.repeat(120), 'e'.repeat(120));
    await mkdir(dir, { recursive: true });
    const { path, connect } = await serve({ listOwners: async () => [] }, { dir });
    expect(Buffer.byteLength(path)).toBeGreaterThan(250);
    expect((await stat(path)).isSocket()).toBe(true);
    const commands = await connect();
    expect(await commands?.listOwners({}, QUIET)).toEqual([]);
  });

  test('ends a running command when the service shuts down, or its client disconnects', async () => {
    const ended: string[] = [];
    const started = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const { server, connect } = await serve({
      listOwners: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          started.shift()?.resolve();
          signal.addEventListener('abort', () => {
            ended.push(signal.reason.message);
            reject(signal.reason);
          });
        }),
    });
    const [first, second] = started.map(({ promise }) => promise);
    const commands = await connect();
    const client = new AbortController();
    const interrupted = commands?.listOwners({}, { ...QUIET, signal: client.signal });
    await first;
    client.abort(new Error('interrupted'));
    await expect(interrupted).rejects.toThrow('interrupted');
    await expect.poll(() => ended).toEqual(['the client has disconnected']);

    const running = commands?.listOwners({}, QUIET);
    await second;
    await Promise.all([server.close(), expect(running).rejects.toThrow()]);
    expect(ended).toEqual(['the client has disconnected', 'the service shuts down']);
  });

  test.each([
    ['before it responds', null],
    ['while the command runs', '{"note":"half"}\n'],
  ])('says in one sentence that the service was killed %s', async (_, line) => {
    const path = join(await temporaryDirectory(), 'admin.sock');
    const server = createServer((_req, res) => {
      if (line === null) res.destroy();
      else res.write(line, () => res.destroy());
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    const commands = await connectCommands(path);
    await expect(commands?.listOwners({}, QUIET)).rejects.toThrow(
      new ServiceFailedError(
        'The service ended before the command did: check its log, then run the command again.',
      ),
    );
  });

  test('knows nothing but commands', async () => {
    const { path } = await serve(NO_COMMANDS);
    const status = (method: string, url: string) =>
      new Promise((resolve, reject) => {
        request({ socketPath: path, method, path: url }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await status('POST', '/constructor')).toBe(404);
    expect(await status('GET', '/listOwners')).toBe(404);
    expect(await status('POST', '/graphql')).toBe(404);
  });
});
