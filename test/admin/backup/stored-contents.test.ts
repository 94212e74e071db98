import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openStoredContents } from '../../../src/admin/backup/stored-contents.ts';
import { temporaryDirectory } from '../../support/directory.ts';

test('a missing file of a backup fails whoever reads it, however late, and not the process', async () => {
  const dir = await temporaryDirectory();
  const contents = await openStoredContents(dir, {
    format: 1,
    version: '1.0.0',
    createdAt: '2027-01-01T00:00:00.000Z',
    database: 'postgres',
    migrations: [],
    tables: [],
    images: { count: 1, bytes: 1 },
    files: [],
  });
  const missing = [
    contents.image({ ownerId: 'me', sha256: 'a'.repeat(64), bytes: 1 }),
    contents.answer({ attemptId: 'one', place: 'stored' }),
    contents.answer({ attemptId: 'one', place: 'received' }),
  ];
  // A reader is late because it opens the file that it writes to.
  const other = join(dir, 'other');
  for (let i = 0; i < 20; i += 1) {
    await writeFile(other, 'x');
    await readFile(other);
  }
  for (const pieces of missing) {
    await expect(buffer(pieces)).rejects.toMatchObject({ code: 'ENOENT' });
  }
});
