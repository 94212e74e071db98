import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { openPglite } from '../../src/database/pglite.ts';
import { createLog } from '../../src/log.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { cutPower } from '../support/power-cuts.ts';
import { seededRandom } from '../support/random.ts';
import { keepUnsynced } from '../support/unsynced-disk.ts';

const log = createLog({ level: 'silent' });
const TIMEOUT_MS = 600_000;
/** How many operations of the disk the first start is cut after, once in so many. */
const CUT_EVERY = 1_500;

describe.runIf(inject('databaseKind') === 'pglite')('a power cut', () => {
  test('loses no edit that was acknowledged, nor its images, charge or answer', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await cutPower({ cuts: 10, seed: 10 });
  });

  test('in the very first start leaves nothing in the way of the next; after it, all that was committed', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const dir = await temporaryDirectory();
    const [disk, shadow] = [join(dir, 'disk'), join(dir, 'shadow')];
    for (const each of [disk, shadow]) await mkdir(each);
    const unsynced = keepUnsynced(disk, shadow);
    onTestFinished(unsynced.stop);
    const random = seededRandom(3);
    const cuts: string[] = [];
    let operations = 0;
    unsynced.onOperation = () => {
      operations += 1;
      if (operations % CUT_EVERY !== 0) return;
      cuts.push(join(dir, `cut-${operations}`));
      unsynced.cut(cuts.at(-1) ?? '', random);
    };

    // A directory that is new, too.
    const dataDir = 'some/data';
    const database = await openPglite({ dir: join(disk, dataDir), log });
    await database.prisma.$executeRaw`CREATE TABLE t AS SELECT 1 AS x`;
    unsynced.onOperation = null;
    const last = join(dir, 'cut-last');
    unsynced.cut(last, () => 0);
    await database.close();
    unsynced.stop();

    const kept = await openPglite({ dir: join(last, dataDir), log });
    const rows = await kept.prisma.$queryRaw`SELECT x FROM t`;
    await kept.close();
    expect(rows).toEqual([{ x: 1 }]);
    for (const cut of cuts) await (await openPglite({ dir: join(cut, dataDir), log })).close();
    expect(cuts.length).toBeGreaterThan(0);
  });
});
