import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import {
  COMMAND_NAMES,
  COMMANDS,
  type CommandName,
  type CommandRun,
  type Commands,
} from '../commands/commands.ts';
import { splitLines } from '../lines.ts';
import { decodeError, parseLine, ServiceFailedError } from './protocol.ts';
import { isPrivate, withShortPath } from './socket-path.ts';

/**
 * The commands of the service that listens on the socket. Null if none does, such as after a kill.
 * @throws ServiceFailedError if the socket must not be trusted, or belongs to another user.
 */
export async function connectCommands(path: string): Promise<Commands | null> {
  const probe = await openSocket(path);
  if (probe === null) return null;
  probe.destroy();
  if (!(await isPrivate(dirname(path)))) {
    throw new ServiceFailedError(
      `Other users can write to ${dirname(path)}, so the socket in it cannot be trusted: run \`chmod go-w\` on it.`,
    );
  }
  const entries = COMMAND_NAMES.map((name) => [
    name,
    (input: unknown, run: CommandRun) => call(path, name, input, run),
  ]);
  return Object.fromEntries(entries) as Commands;
}

const NOT_LISTENING = ['ENOENT', 'ENOTDIR', 'ENOTSOCK', 'ECONNREFUSED'];

/** Null if no process listens. */
async function openSocket(path: string): Promise<Socket | null> {
  try {
    return await withShortPath(path, async (short) => {
      const socket = connect({ path: short });
      await once(socket, 'connect');
      return socket;
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (NOT_LISTENING.includes(String(code))) return null;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new ServiceFailedError(
      `The running service on ${dirname(path)} belongs to another user: run the command as that user.`,
    );
  }
}

async function call(
  path: string,
  name: CommandName,
  input: unknown,
  run: CommandRun,
): Promise<unknown> {
  const { signal } = run;
  signal.throwIfAborted();
  const socket = await openSocket(path);
  if (socket === null) throw ended();
  const sent = request({
    createConnection: () => socket,
    host: 'localhost',
    method: 'POST',
    path: `/${name}`,
    headers: { 'content-type': 'application/json' },
  });
  const abort = () => void sent.destroy();
  signal.addEventListener('abort', abort);
  try {
    sent.end(JSON.stringify(input));
    return COMMANDS[name].result.parse(await readResult(await responseOf(sent), run));
  } catch (error) {
    signal.throwIfAborted();
    throw isConnectionError(error) ? ended() : error;
  } finally {
    signal.removeEventListener('abort', abort);
    sent.destroy();
  }
}

async function responseOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  if (response.statusCode === 200) return response;
  throw new ServiceFailedError(
    'The running service does not know this command: run both from one release.',
  );
}

/** @throws the error of the command. */
async function readResult(
  response: IncomingMessage,
  { note, progress, write }: CommandRun,
): Promise<unknown> {
  for await (const json of splitLines(response)) {
    const line = parseLine(json);
    if ('error' in line) throw decodeError(line.error);
    if ('result' in line) return line.result;
    if ('text' in line) await write(line.text);
    else if ('note' in line) note(line.note);
    else progress(line.progress.what, line.progress.done, line.progress.total);
  }
  throw ended();
}

/** Errors of Node's HTTP client, such as `socket hang up`, name no system call. */
const isConnectionError = (error: unknown) =>
  error instanceof Error && 'code' in error && ('syscall' in error || error.code === 'ECONNRESET');

const ended = () =>
  new ServiceFailedError(
    'The service ended before the command did: check its log, then run the command again.',
  );
