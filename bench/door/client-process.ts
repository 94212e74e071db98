import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Which API an edit is sent to. */
export type Api = 'openai' | 'graphql';

/** What the client's process is asked for. */
export type Asked = AskedEdit | 'again';

/** A new edit. */
export interface AskedEdit {
  readonly api: Api;
  readonly images: number;
  /** Output images. */
  readonly n: number;
}

/** What it answers. */
export interface FromClient {
  /** From the start of the request to the parsed response. */
  readonly ms: number;
  /** From the start of the request to the head of the response. */
  readonly firstByteMs: number;
}

/** `client.ts` in a process of its own: it holds files and responses in memory. */
export interface ClientProcess {
  edit(asked: AskedEdit): Promise<FromClient>;
  /**
   * Sends the last edit again with its idempotency key, so that no edit runs: the response is all there
   * is to it. Reads that only after a second, as a slow client does.
   */
  again(): Promise<FromClient>;
  stop(): Promise<void>;
}

export async function startClient(options: {
  url: string;
  imageBytes: number;
}): Promise<ClientProcess> {
  const path = fileURLToPath(import.meta.resolve('./client.ts'));
  const child = fork(path, [options.url, String(options.imageBytes)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: {},
  });
  const exited = once(child, 'exit').then(() => {
    throw new Error('the client ended');
  });
  exited.catch(() => undefined);
  await Promise.race([once(child, 'message'), exited]);
  async function ask(asked: Asked): Promise<FromClient> {
    const answered = once(child, 'message');
    child.send(asked);
    const [timed] = await Promise.race([answered, exited]);
    return timed;
  }
  return {
    edit: ask,
    again: () => ask('again'),
    async stop() {
      child.disconnect();
      await exited.catch(() => undefined);
    },
  };
}
