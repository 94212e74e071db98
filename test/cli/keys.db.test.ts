import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashApiKey, isApiKey } from '../../src/auth/api-keys/key-format.ts';
import type { PrismaClient } from '../../src/database/database.ts';
import { runCommandLine } from '../support/command-line.ts';
import { createTestDatabase, hasDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const run = (...args: string[]) => runCommandLine(database.env, ...args);

async function read<Result>(query: (prisma: PrismaClient) => Promise<Result>): Promise<Result> {
  const opened = await database.open();
  try {
    return await query(opened.prisma);
  } finally {
    await opened.close();
  }
}

async function createKey(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run('keys', 'create', ...args);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
}

describe.runIf(hasDatabase)('keys create', () => {
  test('prints nothing but the key on stdout, and stores its hash, scopes, models and expiry', async () => {
    const { exitCode, stdout, stderr } = await run(
      ...['keys', 'create', '--owner', 'alice', '--scope', 'edit', '--name', 'shop'],
      ...['--model', 'gpt-image-1', '--model', 'gpt-image-1.5', '--expires', '2099-01-01'],
    );
    expect(exitCode).toBe(0);
    const key = stdout.trimEnd();
    expect(stdout).toBe(`${key}\n`);
    expect(isApiKey(key)).toBe(true);
    expect(stderr).toContain('will not be shown again');
    expect(stderr).not.toContain(key);
    const [rows, owner, audited] = await read((prisma) =>
      Promise.all([
        prisma.apiKey.findMany(),
        prisma.owner.findUnique({ where: { id: 'alice' } }),
        prisma.auditEvent.findMany(),
      ]),
    );
    expect(rows).toMatchObject([
      {
        ownerId: 'alice',
        name: 'shop',
        sha256: hashApiKey(key),
        scopes: ['READ', 'EDIT'],
        allowedModels: ['gpt-image-1', 'gpt-image-1.5'],
        expiresAt: new Date('2099-01-01T00:00:00Z'),
      },
    ]);
    expect(owner).not.toBeNull();
    expect(audited).toMatchObject([
      { action: 'createApiKey', ownerId: 'alice', actorKeyId: null, requestId: null },
    ]);
  });

  test('rejects an expiry in the past, and stores nothing', async () => {
    const { exitCode, stdout, stderr } = await run(
      ...['keys', 'create', '--owner', 'alice', '--scope', 'read', '--expires', '2020-01-01'],
    );
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: '--expires must be in the future.\n',
    });
    expect(await read((prisma) => prisma.apiKey.count())).toBe(0);
  });
});

describe.runIf(hasDatabase)('keys list', () => {
  test('shows the keys of all owners or of one, and no secret', async () => {
    const key = await createKey('--owner', 'alice', '--scope', 'admin', '--name', 'first');
    await createKey('--owner', 'bob', '--scope', 'read', '--expires', '90d');
    const all = await run('keys', 'list');
    const [heading, alice, bob, ...rest] = all.stdout.trimEnd().split('\n');
    expect(heading).toMatch(
      /^ID +PREFIX +OWNER +NAME +SCOPES +MODELS +EXPIRES +LAST USE +REVOKED$/,
    );
    expect(alice).toMatch(/ alice +first +read,edit,admin +any +- +- +-$/);
    expect(alice).toContain(` ${key.slice(0, 12)} `);
    expect(bob).toMatch(/ bob +command line +read +any +20\d\d-\S+Z +- +-$/);
    expect(rest).toEqual([]);
    expect(all.stdout).not.toContain(key);
    const one = await run('keys', 'list', '--owner', 'bob');
    expect(one.stdout.split('\n')).toHaveLength(3);
    expect(one.stdout).not.toContain('alice');
  });
});

describe.runIf(hasDatabase)('keys rotate', () => {
  test('prints a new key, and keeps the old one valid for the overlap', async () => {
    const old = await createKey('--owner', 'alice', '--scope', 'edit');
    const startedMs = Date.now();
    const { exitCode, stdout } = await run(
      ...['keys', 'rotate', old.slice(0, 12), '--overlap', '24h'],
    );
    expect(exitCode).toBe(0);
    const rows = await read((prisma) => prisma.apiKey.findMany());
    expect(rows).toMatchObject([
      { sha256: hashApiKey(stdout.trim()), previousSha256: hashApiKey(old) },
    ]);
    const untilMs = rows[0]?.previousUntil?.getTime() ?? 0;
    expect(untilMs).toBeGreaterThanOrEqual(startedMs + 86_400_000);
    expect(untilMs).toBeLessThanOrEqual(Date.now() + 86_400_000);
  });

  test('rejects an overlap of more than 30 days', async () => {
    const old = await createKey('--owner', 'alice', '--scope', 'edit');
    const { exitCode, stderr } = await run(
      ...['keys', 'rotate', old.slice(0, 12), '--overlap', '31d'],
    );
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: '--overlap must be at most 30 days away.\n',
    });
  });
});

describe.runIf(hasDatabase)('keys revoke', () => {
  test('ends a key by its id or its prefix', async () => {
    const byPrefix = await createKey('--owner', 'alice', '--scope', 'edit');
    await createKey('--owner', 'bob', '--scope', 'edit');
    const listed = (await run('keys', 'list', '--owner', 'bob')).stdout.split('\n');
    const [id = ''] = (listed[1] ?? '').split(' ');
    for (const key of [byPrefix.slice(0, 12), id]) {
      expect((await run('keys', 'revoke', key)).exitCode).toBe(0);
    }
    const rows = await read((prisma) => prisma.apiKey.findMany());
    expect(rows.map(({ revokedAt }) => revokedAt === null)).toEqual([false, false]);
  });

  test('changes nothing for an unknown key, or for a prefix of several', async () => {
    expect(await run('keys', 'revoke', 'rt_live_none')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'The API key "rt_live_none" does not exist.\n',
    });
    await createKey('--owner', 'alice', '--scope', 'edit');
    await createKey('--owner', 'bob', '--scope', 'edit');
    await read((prisma) => prisma.apiKey.updateMany({ data: { prefix: 'rt_live_same' } }));
    const { exitCode, stderr } = await run('keys', 'revoke', 'rt_live_same');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Several API keys have the prefix rt_live_same');
    expect(await read((prisma) => prisma.apiKey.count({ where: { revokedAt: null } }))).toBe(2);
  });
});
