import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import type { SandboxStats } from '../../src/sandbox/stats.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { filesIn } from './directory.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { createGraphqlClient, type GraphqlClient } from './graphql-client.ts';
import {
  type SandboxProcess,
  type ServiceProcess,
  type Spawned,
  startSandboxProcess,
  startService,
} from './processes.ts';
import { png } from './test-images.ts';

const FINAL = ['SUCCEEDED', 'FAILED', 'OUTCOME_UNKNOWN', 'CANCELED'];

/** A worker that died is known after so many seconds, plus two thirds. */
const WORKER_TIMEOUT_SECONDS = 3;

export type RigDatabase = Pick<TestDatabase, 'env' | 'dir' | 'drop'>;

/** The service, its edits API and its database, each a process of its own; all goes with the test. */
export interface Rig extends GraphqlClient {
  readonly service: ServiceProcess;
  readonly sandbox: SandboxProcess;
  readonly database: RigDatabase;
  /** What every service of this rig is told. */
  readonly env: Record<string, string>;
  /** An image that is stored already. */
  readonly imageId: string;
  /** Starts the service again, after it was killed or stopped. */
  restart(env?: Record<string, string>): Promise<void>;
  /** A further service on the same data; null when the database cannot be shared. */
  startSecond(env?: Record<string, string>): Promise<ServiceProcess & GraphqlClient>;
  /** An edit of the stored image, acknowledged and not waited for: answers its id. */
  submit(prompt: string, input?: object): Promise<string>;
  /** Waits until the job is final; it must be within 60 s. */
  final(id: string): Promise<ReturnType<typeof JSON.parse>>;
  /** The POSTs that carried this prompt, among the last hundred. */
  callsFor(prompt: string): Promise<SandboxStats['lastRequests']>;
  /** How many of them were paid. */
  paidFor(prompt: string): Promise<number>;
  /** Files below a directory of DATA_DIR. */
  files(dir: 'staging' | 'answers' | 'blobs'): Promise<string[]>;
  /** Waits until what the dead were receiving is gone; answers how many files were left over. */
  orphans(): Promise<number>;
  /** Waits until no raw answer is left: each goes after its edit's end is committed. */
  answersRemoved(): Promise<void>;
}

export async function startRig(
  env: Record<string, string> = {},
  sandboxOptions: Parameters<typeof startSandboxProcess>[0] = {},
  /** By default one of its own of the suite's kind. */
  given?: RigDatabase,
): Promise<Rig> {
  const database = given ?? (await createTestDatabase());
  onTestFinished(() => database.drop());
  const endWithTest = ({ kill }: Spawned) => onTestFinished(kill);
  const sandbox = await startSandboxProcess(sandboxOptions, endWithTest);
  const all = {
    EDITS_API_URL: sandbox.url,
    EDITS_API_KEY: 'sk-test-canary',
    EDITS_API_FIRST_HAND: 'true',
    SHUTDOWN_GRACE_SECONDS: '5',
    WORKER_TIMEOUT_SECONDS: String(WORKER_TIMEOUT_SECONDS),
    ...database.env,
    ...env,
  };
  const spawn = (more: Record<string, string> = {}) =>
    startService({ ...all, ...more }, endWithTest);
  let service = await spawn();
  const client = createGraphqlClient(() => service.url);
  const imageId = await client.uploadImage(await png());
  const files = (dir: string) => filesIn(join(database.dir, dir));

  async function callsFor(prompt: string) {
    const { lastRequests } = await sandbox.stats();
    return lastRequests.filter(({ fields }) =>
      fields.some(([name, value]) => name === 'prompt' && value === prompt),
    );
  }

  return {
    ...client,
    get service() {
      return service;
    },
    sandbox,
    database,
    env: all,
    imageId,
    async restart(more) {
      service = await spawn(more);
    },
    async startSecond(more) {
      const second = await spawn(more);
      return { ...second, ...createGraphqlClient(() => second.url) };
    },
    async submit(prompt, input = {}) {
      const { editJob } = await client.edit({
        images: [{ id: imageId }],
        prompt,
        wait: 0,
        ...input,
      });
      return editJob.id;
    },
    final: (id) =>
      eventually(
        async () => {
          const job = await client.job(id);
          if (!FINAL.includes(job.status)) throw new Error(`${id} is ${job.status}`);
          return job;
        },
        { interval: 100 },
      ),
    callsFor,
    paidFor: async (prompt) => (await callsFor(prompt)).filter(({ paid }) => paid).length,
    files,
    orphans: () =>
      vi
        .waitUntil(async () => (await files('staging')).length === 0, {
          timeout: PATIENCE_MS,
          interval: 100,
        })
        .then(
          () => 0,
          async () => (await files('staging')).length,
        ),
    answersRemoved: () => eventually(async () => expect(await files('answers')).toEqual([])),
  };
}
