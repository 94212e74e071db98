import { z } from 'zod';
import { SCOPES } from '../../auth/scopes.ts';
import type { Progress } from '../progress.ts';

/** ISO 8601, as JSON has it. */
const time = z.iso.datetime();

const createdKey = z.object({
  /** Global id, as in the API. */
  id: z.string(),
  ownerId: z.string(),
  prefix: z.string(),
  /** The secret. It is returned only here. */
  key: z.string(),
});

const shownKey = z.object({
  id: z.string(),
  ownerId: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  /** Null: any. */
  allowedModels: z.array(z.string()).nullable(),
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
  revokedAt: time.nullable(),
});

const shownOwner = z.object({
  id: z.string(),
  name: z.string().nullable(),
  /** In the history. */
  edits: z.int(),
  disabledAt: time.nullable(),
  /** When the owner's first request came. Null: before owners had rows. */
  createdAt: time.nullable(),
});

/** Every command of an operator: what it takes and what it returns, both as JSON. */
export const COMMANDS = {
  createKey: {
    input: z.object({
      ownerId: z.string(),
      name: z.string(),
      scope: z.enum(SCOPES),
      /** Null: any. */
      allowedModels: z.array(z.string()).nullable(),
      /** Null: never. */
      expiresAt: time.nullable(),
    }),
    result: createdKey,
  },
  listKeys: {
    /** Null: of all owners. */
    input: z.object({ ownerId: z.string().nullable() }),
    result: z.array(shownKey),
  },
  rotateKey: {
    /** Global id or prefix. Null: the old key ends at once. */
    input: z.object({ key: z.string(), overlapMs: z.number().nullable() }),
    result: createdKey.extend({ previousValidUntil: time.nullable() }),
  },
  revokeKey: {
    input: z.object({ key: z.string() }),
    result: z.object({ id: z.string(), prefix: z.string(), ownerId: z.string() }),
  },
  listOwners: { input: z.object({}), result: z.array(shownOwner) },
  setOwnerDisabled: {
    input: z.object({ ownerId: z.string(), disabled: z.boolean() }),
    result: z.object({}),
  },
  inspect: {
    input: z.object({}),
    result: z.object({
      /** The server's secret keys from which secrets of webhooks are derived, by their ids. */
      webhookKeys: z.array(z.object({ id: z.string(), webhooks: z.int() })),
      /** API keys with the scope ADMIN that are valid now. */
      adminKeys: z.int(),
    }),
  },
  assignHistory: {
    input: z.object({ from: z.string(), to: z.string() }),
    /** The rows that have another owner now. */
    result: z.object({ edits: z.int(), images: z.int() }),
  },
  /** With the embedded database. Runs until the caller disconnects. */
  takeSnapshot: { input: z.object({}), result: z.object({}) },
  verify: {
    input: z.object({}),
    result: z.object({
      images: z.int(),
      bytes: z.int(),
      /** Without a row. */
      orphans: z.int(),
      /** One sentence each. */
      faults: z.array(z.string()),
    }),
  },
  reprice: {
    /** Null: no bound, any model. */
    input: z.object({
      from: time.nullable(),
      to: time.nullable(),
      model: z.string().nullable(),
    }),
    result: z.object({
      examined: z.int(),
      repriced: z.int(),
      unchanged: z.int(),
      unknown: z.int(),
    }),
  },
  /** Writes the history of an owner. */
  exportEdits: {
    input: z.object({
      ownerId: z.string(),
      format: z.enum(['ndjson', 'csv']),
      /** As the arguments of `editJobs`, as JSON. */
      filter: z.string().nullable(),
      search: z.string().nullable(),
      orderBy: z.string().nullable(),
      /** Of the URLs of images. */
      baseUrl: z.string(),
    }),
    result: z.object({ edits: z.int() }),
  },
} as const satisfies Record<string, { input: z.ZodType; result: z.ZodType }>;

export type CommandName = keyof typeof COMMANDS;

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export type CommandInput<Name extends CommandName> = z.output<(typeof COMMANDS)[Name]['input']>;

export type CommandResult<Name extends CommandName> = z.output<(typeof COMMANDS)[Name]['result']>;

/** How a caller follows a long command. */
export interface CommandRun {
  /** Called with one line of text for whoever waits. */
  readonly note: (line: string) => void;
  /** Called as often as the command gets on. */
  readonly progress: Progress;
  /** Called with a part of what the command writes; resolves when the next may come. */
  readonly write: (text: string) => Promise<void>;
  /** Ends the command before it commits. */
  readonly signal: AbortSignal;
}

/** For a command whose notes, progress and text nobody reads. */
export const UNHEARD: Omit<CommandRun, 'signal'> = {
  note: () => {},
  progress: () => {},
  write: async () => {},
};

/**
 * The commands of whoever operates the service, run in this process or through the socket of a
 * running service.
 * @throws InvalidInputError, NotFoundError and other errors of the service, in both cases.
 */
export type Commands = {
  readonly [Name in CommandName]: (
    input: CommandInput<Name>,
    run: CommandRun,
  ) => Promise<CommandResult<Name>>;
};
