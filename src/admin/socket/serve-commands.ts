import { once } from 'node:events';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { PRIVATE_DIRECTORY, PRIVATE_FILE } from '../../config/data-dir/private-directory.ts';
import { InvalidInputError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import {
  COMMANDS,
  type CommandName,
  type CommandRun,
  type Commands,
} from '../commands/commands.ts';
import { atMostEvery } from '../progress.ts';
import { encodeError, INTERNAL_ERROR, type ResponseLine } from './protocol.ts';
import { isPrivate, SOCKET_NAME, withShortPath } from './socket-path.ts';

/** As often as a terminal is drawn. */
const PROGRESS_EVERY_MS = 100;

/** The commands, served on a socket in DATA_DIR. */
export interface CommandServer {
  /** Ends running commands before they commit, waits for them, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Serves commands to whoever may open the socket: this user, and root. Replaces the socket of a
 * killed process, so the caller must hold the lock on `dir`. A socket that cannot be opened is
 * logged, and nothing else: the service works without it.
 */
export async function serveCommands(options: {
  dir: string;
  commands: Commands;
  log: Log;
}): Promise<CommandServer> {
  const { dir, commands, log } = options;
  const ending = new AbortController();
  const running = new Set<Promise<void>>();
  const server = createServer((req, res) => {
    const handled = respond({ req, res, commands, ending: ending.signal, log });
    running.add(handled);
    void handled.finally(() => running.delete(handled));
  });
  const path = join(dir, SOCKET_NAME);
  const isOpen = await open(server, dir, path).then(
    () => true,
    (error) => {
      log.warn({ err: error }, `commands cannot reach this process through ${path}`);
      return false;
    },
  );
  return {
    async close() {
      if (!isOpen) return;
      await rm(path, { force: true });
      server.close();
      ending.abort(new Error('the service shuts down'));
      await Promise.all(running);
      server.closeAllConnections();
    },
  };
}

/**
 * Binds the socket in a private directory, where nobody can connect before it has its mode, and
 * then renames it.
 */
async function open(server: Server, dir: string, path: string): Promise<void> {
  if (process.platform === 'win32') throw new Error('Windows has no sockets in directories');
  if (!(await isPrivate(dir))) {
    throw new Error(`other users can write to ${dir}: run \`chmod go-w\` on it`);
  }
  const fresh = join(dir, `${SOCKET_NAME}.new`);
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: PRIVATE_DIRECTORY });
  await withShortPath(join(fresh, 's'), async (short) => {
    server.listen({ path: short });
    await once(server, 'listening');
  });
  await chmod(join(fresh, 's'), PRIVATE_FILE);
  await rename(join(fresh, 's'), path);
  await rm(fresh, { recursive: true, force: true });
}

async function respond(options: {
  req: IncomingMessage;
  res: ServerResponse;
  commands: Commands;
  ending: AbortSignal;
  log: Log;
}): Promise<void> {
  const { req, res, commands, ending, log } = options;
  const name = req.url?.slice(1) ?? '';
  if (req.method !== 'POST' || !isCommandName(name)) {
    res.writeHead(404).end();
    return;
  }
  const gone = new AbortController();
  res.once('close', () => gone.abort(new Error('the client has disconnected')));
  const write = (line: ResponseLine) => res.write(`${JSON.stringify(line)}\n`);
  try {
    const input: unknown = JSON.parse(await text(req));
    const signal = AbortSignal.any([gone.signal, ending]);
    res.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const result = await call(commands, name, input, {
      note: (note) => void write({ note }),
      progress: atMostEvery(PROGRESS_EVERY_MS, (what, done, total) => {
        write({ progress: { what, done, total } });
      }),
      async write(text) {
        if (!write({ text })) await once(res, 'drain', { signal });
      },
      signal,
    });
    log.info({ command: name }, 'ran a command');
    write({ result });
  } catch (error) {
    const expected = encodeError(error);
    if (expected === null) log.error({ err: error, command: name }, 'a command failed');
    write({ error: expected ?? INTERNAL_ERROR });
  }
  res.end();
}

const isCommandName = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

function call<Name extends CommandName>(
  commands: Commands,
  name: Name,
  input: unknown,
  run: CommandRun,
) {
  const parsed = COMMANDS[name].input.safeParse(input);
  // Only a command line of another version sends it.
  if (!parsed.success) throw new InvalidInputError('input', 'INVALID_VALUE', OTHER_VERSION);
  return (commands[name] as (input: unknown, run: CommandRun) => Promise<unknown>)(
    parsed.data,
    run,
  );
}

const OTHER_VERSION =
  'The running service is of another version than this command line: run both from one release.';
