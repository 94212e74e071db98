import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { logAuthNotes } from '../../src/app/auth-notes.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/log.ts';
import { runCommandLine } from '../support/command-line.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';

test.runIf(hasDatabase)(
  'the start says how to create the first key and how to assign the local history, until both are done',
  async () => {
    const database = await createTestDatabase();
    const secret = { SECRET_KEY: randomBytes(32).toString('base64') };
    async function notes(env: Record<string, string>): Promise<string[]> {
      const lines: string[] = [];
      const log = createLog({ level: 'info', destination: { write: (line) => lines.push(line) } });
      const { auth } = loadConfig({ ...database.env, ...secret, ...env });
      const opened = await database.open();
      await logAuthNotes({ auth, prisma: opened.prisma, log });
      await opened.close();
      return lines.map((line) => JSON.parse(line).msg);
    }
    /** Runs a command that a note names. */
    const follow = (note: string | undefined) => {
      const [, command = ''] = /npm run retouch -- (.+)$/.exec(note ?? '') ?? [];
      return runCommandLine(database.env, ...command.replaceAll('<owner>', 'alice').split(' '));
    };
    const opened = await database.open();
    const job = { ownerId: 'local', sandbox: true, model: 'm', size: 's', resolvedSize: 's', n: 1 };
    await opened.prisma.editJob.createMany({
      data: [
        { ...job, status: 'SUCCEEDED' },
        { ...job, status: 'FAILED' },
      ],
    });
    await opened.close();

    expect(await notes({})).toEqual([]);
    const proxy = { AUTH_HEADER: 'x-user', TRUSTED_PROXIES: '127.0.0.1' };
    expect(await notes(proxy)).toEqual([
      'the history of local (2 edits) is visible to admins only; to assign it: npm run retouch -- owners assign --from local --to <owner>',
    ]);
    const [assign, create, ...rest] = await notes({ AUTH_API_KEYS: 'true' });
    expect(create).toBe(
      'AUTH_API_KEYS is on and there is no API key yet; to create the first one: npm run retouch -- keys create --owner <owner> --scope admin',
    );
    expect(rest).toEqual([]);
    for (const note of [assign, create]) expect((await follow(note)).exitCode).toBe(0);
    expect(await notes({ AUTH_API_KEYS: 'true' })).toEqual([]);
    await database.drop();
  },
);
