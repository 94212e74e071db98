import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PrismaClient } from '../../src/database/database.ts';
import { blobKey } from '../../src/images/storage/blob-key.ts';
import { createTestDatabase, hasDatabase } from '../support/database.ts';
import { temporaryDirectory } from '../support/directory.ts';
import {
  peakRssBytesDuring,
  peakRssBytesOf,
  rssBytesOf,
  untilIdle,
} from '../support/process-stats.ts';
import { run, startService } from '../support/processes.ts';
import { report, showMb, toMb } from './figures.ts';

const CLI = join(import.meta.dirname, '../../src/cli/main.ts');

const IMAGES = 40;
const IMAGE_BYTES = 25_000_000;
const EDITS = 50_000;

/** How often to look at the memory of a command. */
const LOOK_MS = 50;

/** Of the service over a backup, and of the command: mostly the embedded database itself. */
const MAX_GROWTH_MB = 150;
const MAX_COMMAND_MB = 700;

async function insertImages(prisma: PrismaClient, dir: string): Promise<void> {
  for (let i = 0; i < IMAGES; i += 1) {
    const bytes = randomBytes(IMAGE_BYTES);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = join(dir, 'blobs', blobKey({ ownerId: 'local', sha256 }));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
    const facts = {
      format: 'PNG',
      width: 1,
      height: 1,
      bytes: IMAGE_BYTES,
      hasAlpha: false,
    } as const;
    await prisma.image.create({ data: { ownerId: 'local', sha256, ...facts } });
  }
}

const insertEdits = (prisma: PrismaClient) =>
  prisma.$executeRawUnsafe(`
    INSERT INTO "EditJob" (id, "ownerId", status, sandbox, model, size, "resolvedSize", n, metadata, "finishedAt")
    SELECT gen_random_uuid(), 'local', 'SUCCEEDED', true, 'm', 'auto', 'auto', 1,
      jsonb_build_object('text', repeat(md5(i::text), 60)), now()
    FROM generate_series(1, ${EDITS}) AS i`);

describe.runIf(hasDatabase)('a backup of 1 GB of images and 50,000 edits', () => {
  test('and its restore leave memory flat', async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const opened = await database.open();
    await insertImages(opened.prisma, database.dir);
    await insertEdits(opened.prisma);
    await opened.close();
    const service = await startService(database.env, ({ kill }) => onTestFinished(kill));
    const { pid = 0 } = service.child;
    await untilIdle(pid);
    const idleBytes = await rssBytesOf(pid);

    async function measured(env: Record<string, string>, ...args: string[]) {
      const startedMs = performance.now();
      const command = run([CLI, ...args], env);
      const { pid = 0 } = command.child;
      let peakBytes = 0;
      // The process is gone when its last look would come.
      const look = () =>
        peakRssBytesOf(pid).then(
          (bytes) => {
            peakBytes = Math.max(peakBytes, bytes);
          },
          () => {},
        );
      const timer = setInterval(look, LOOK_MS);
      const exitCode = await command.exited;
      clearInterval(timer);
      expect(exitCode, command.lines.join('\n')).toBe(0);
      return { peakBytes, seconds: (performance.now() - startedMs) / 1_000 };
    }

    const backup = join(await temporaryDirectory(), 'backup');
    let made = { peakBytes: 0, seconds: 0 };
    const servicePeak = await peakRssBytesDuring(pid, async () => {
      made = await measured(database.env, 'backup', backup);
    });
    const target = await createTestDatabase({ isMigrated: false });
    onTestFinished(() => target.drop());
    const restored = await measured(target.env, 'restore', backup);
    const verified = await measured(target.env, 'verify');
    const bar = (bytes: number) => ({ value: toMb(bytes), atMost: MAX_COMMAND_MB, unit: 'MB' });
    report('backup and restore of 1 GB of images and 50,000 edits', [
      { what: 'service at rest', service: showMb(idleBytes) },
      {
        what: 'peak of the service over the backup',
        service: showMb(servicePeak),
        bar: { value: toMb(servicePeak - idleBytes), atMost: MAX_GROWTH_MB, unit: 'MB' },
      },
      { what: 'peak of backup', service: showMb(made.peakBytes), bar: bar(made.peakBytes) },
      { what: 'backup', service: `${made.seconds.toFixed(0)} s` },
      {
        what: 'peak of restore',
        service: showMb(restored.peakBytes),
        bar: bar(restored.peakBytes),
      },
      { what: 'restore', service: `${restored.seconds.toFixed(0)} s` },
      { what: 'peak of verify', service: showMb(verified.peakBytes), bar: bar(verified.peakBytes) },
      { what: 'verify', service: `${verified.seconds.toFixed(0)} s` },
    ]);
  });
});
