import { type ArgsDef, defineCommand } from 'citty';
import { readArguments } from './arguments.ts';
import type { Cli } from './cli.ts';
import { formatTable } from './table.ts';
import { readDuration, readExpiry, readScope } from './values.ts';

const CREATE = {
  owner: {
    type: 'string',
    required: true,
    description: 'Owner of the edits that are made with the key',
    valueHint: 'id',
  },
  scope: {
    type: 'string',
    required: true,
    description: 'What the key allows; each scope includes the ones before it',
    valueHint: 'read|edit|admin',
  },
  name: { type: 'string', description: 'What the key is for', valueHint: 'text' },
  model: {
    type: 'string',
    description: 'A model that the key may use; repeat it for several. Any by default',
    valueHint: 'id',
  },
  expires: {
    type: 'string',
    description: 'When the key ends: a date, or a duration from now. Never by default',
    valueHint: '2027-01-01|90d',
  },
} as const satisfies ArgsDef;

const LIST = {
  owner: { type: 'string', description: 'Only the keys of this owner', valueHint: 'id' },
} as const satisfies ArgsDef;

const KEY = {
  key: { type: 'positional', required: true, description: 'Id or prefix of the key' },
} as const satisfies ArgsDef;

const ROTATE = {
  ...KEY,
  overlap: {
    type: 'string',
    description: 'How long the old key stays valid, at most 30d. By default it ends at once',
    valueHint: '24h',
  },
} as const satisfies ArgsDef;

const DEFAULT_NAME = 'command line';

const HEADINGS = [
  'ID',
  'PREFIX',
  'OWNER',
  'NAME',
  'SCOPES',
  'MODELS',
  'EXPIRES',
  'LAST USE',
  'REVOKED',
] as const;

export function createKeysCommand(cli: Cli) {
  const create = defineCommand({
    meta: { name: 'create', description: 'Create an API key and print it, once' },
    args: CREATE,
    async run({ rawArgs }) {
      const args = readArguments(rawArgs, CREATE);
      const expires = args.optional('expires');
      const models = args.all('model');
      const { id, key, ownerId } = await cli.run('createKey', {
        ownerId: args.required('owner'),
        scope: readScope('--scope', args.required('scope')),
        name: args.optional('name') ?? DEFAULT_NAME,
        allowedModels: models.length === 0 ? null : [...models],
        expiresAt: expires === null ? null : readExpiry('--expires', expires, cli.now),
      });
      cli.print(`${key}\n`);
      cli.note(`Created the API key ${id} of ${ownerId}. ${ONCE}`);
    },
  });

  const list = defineCommand({
    meta: { name: 'list', description: 'List API keys, also revoked and expired ones' },
    args: LIST,
    async run({ rawArgs }) {
      const ownerId = readArguments(rawArgs, LIST).optional('owner');
      const keys = await cli.run('listKeys', { ownerId });
      const rows = keys.map((key) => [
        key.id,
        key.prefix,
        key.ownerId,
        key.name,
        key.scopes.map((scope) => scope.toLowerCase()).join(','),
        key.allowedModels?.join(',') ?? 'any',
        key.expiresAt,
        key.lastUsedAt,
        key.revokedAt,
      ]);
      cli.print(formatTable(HEADINGS, rows));
    },
  });

  const rotate = defineCommand({
    meta: { name: 'rotate', description: 'Replace an API key and print the new one, once' },
    args: ROTATE,
    async run({ rawArgs }) {
      const args = readArguments(rawArgs, ROTATE);
      const overlap = args.optional('overlap');
      const { id, key, previousValidUntil } = await cli.run('rotateKey', {
        key: args.required('key'),
        overlapMs: overlap === null ? null : readDuration('--overlap', overlap),
      });
      cli.print(`${key}\n`);
      const old =
        previousValidUntil === null ? 'no longer valid' : `valid until ${previousValidUntil}`;
      cli.note(`Rotated the API key ${id}; the old one is ${old}. ${ONCE}`);
    },
  });

  const revoke = defineCommand({
    meta: { name: 'revoke', description: 'End an API key, and those that it created, at once' },
    args: KEY,
    async run({ rawArgs }) {
      const key = readArguments(rawArgs, KEY).required('key');
      const { id, prefix, ownerId } = await cli.run('revokeKey', { key });
      cli.note(`Revoked the API key ${id} (${prefix}…) of ${ownerId}.`);
    },
  });

  return defineCommand({
    meta: { name: 'retouch keys', description: 'API keys' },
    subCommands: { create, list, rotate, revoke },
  });
}

const ONCE = 'It is not stored and will not be shown again: store it like a password.';
