import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { untilIdle } from '../../test/support/process-stats.ts';
import type { FromMeasured, ToMeasured } from './probe.ts';

/** A process under measurement: the floor or the service. */
export interface Measured {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** The longest time its event loop was held up while `work` ran. */
  stallDuring(work: () => Promise<unknown>): Promise<number>;
  /** Waits for the end of what it does behind its answers, so that it is nobody else's burden. */
  untilIdle(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts `<name>.ts` beside this file, with its arguments, flags for Node, and nothing else in its environment. */
export async function startMeasured(
  name: 'bare' | 'floor' | 'service' | 'statement' | 'yoga',
  options: {
    args: readonly string[];
    flags?: readonly string[];
    environment?: Readonly<Record<string, string>>;
  },
): Promise<Measured> {
  const path = fileURLToPath(import.meta.resolve(`./${name}.ts`));
  const child = fork(path, options.args, {
    execArgv: ['--disable-warning=ExperimentalWarning', ...(options.flags ?? [])],
    env: { ...options.environment },
  });
  const { url } = await told(child, 'ready');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start`);
  const ask = (message: ToMeasured) => child.send(message);

  return {
    name,
    url,
    pid,
    async stallDuring(work) {
      ask('watchStall');
      await work();
      const stall = told(child, 'stall');
      ask('answerStall');
      return (await stall).maxMs;
    },
    untilIdle: () => untilIdle(pid),
    async stop() {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      ask('stop');
      await exited;
    },
  };
}

/** The next message of a kind. @throws when the process ends instead. */
function told<Kind extends FromMeasured['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<FromMeasured, { kind: Kind }>> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a measured process ended: ${code}`));
    child.once('exit', onExit);
    child.on('message', function onMessage(message: FromMeasured) {
      if (message.kind !== kind) return;
      child.off('exit', onExit).off('message', onMessage);
      resolve(message as Extract<FromMeasured, { kind: Kind }>);
    });
  });
}
