import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromMeasured, ToMeasured } from './probe.ts';
import { cpuMsOf } from './process-stats.ts';

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

const LOOK_MS = 250;
/** Share of one core below which a process counts as idle: timers go on. */
const IDLE_SHARE = 0.04;
const IDLE_LOOKS = 3;
const LONGEST_WAIT_MS = 60_000;

/** Starts `<name>.ts` beside this file, with its arguments, flags for Node, and nothing else in its environment. */
export async function startMeasured(
  name: 'floor' | 'service',
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
    async untilIdle() {
      const deadlineMs = performance.now() + LONGEST_WAIT_MS;
      for (let idle = 0; idle < IDLE_LOOKS; ) {
        if (performance.now() > deadlineMs) throw new Error(`${name} does not come to rest`);
        const before = await cpuMsOf(pid);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        idle = (await cpuMsOf(pid)) - before <= LOOK_MS * IDLE_SHARE ? idle + 1 : 0;
      }
    },
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
