import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installPackages } from '../../test/support/install-packages.ts';
import { freePorts } from '../../test/support/nginx.ts';
import { untilAnswering } from '../images/until-answering.ts';

const HERE = import.meta.dirname;
/** The servers run here, as the packages that they import are here and nowhere else. */
const INSTALL_DIR = join(HERE, '../../build/bench-peers');

export interface Peer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Installs the peers' packages, 60 MB, the first time. */
export async function installPeers(): Promise<void> {
  await mkdir(INSTALL_DIR, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', 'servers']) {
    await cp(join(HERE, name), join(INSTALL_DIR, name), { recursive: true });
  }
  await installPackages(INSTALL_DIR);
}

/** Starts a server that reports its URL, with Node's defaults. */
export async function startPeer(name: 'yoga' | 'apollo', upstreamUrl: string): Promise<Peer> {
  const child = forkServer(name, [upstreamUrl]);
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${name} ended: ${code}`))),
  ]);
  return peerOf(child, (message as { url: string }).url);
}

export async function startPortkey(): Promise<Peer> {
  const [port = 0] = await freePorts(1);
  const child = forkServer('portkey', [`--port=${port}`, '--headless']);
  await untilAnswering(port, () => child.exitCode !== null);
  return peerOf(child, `http://127.0.0.1:${port}`);
}

function forkServer(name: string, args: readonly string[]): ChildProcess {
  return fork(join(INSTALL_DIR, 'servers', `${name}.js`), args, {
    execArgv: [],
    env: { NODE_ENV: 'production' },
    // Portkey draws on stdout while it starts.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

function peerOf(child: ChildProcess, url: string): Peer {
  const { pid } = child;
  if (pid === undefined) throw new Error('a peer did not start');
  return {
    url,
    pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
