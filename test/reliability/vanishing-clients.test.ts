import { describe, expect, test } from 'vitest';
import { hasDatabase } from '../support/database.ts';
import { noisePng } from '../support/pictures.ts';
import { seededRandom } from '../support/random.ts';
import { startRig } from '../support/rig.ts';
import { sendBytes, uploadRequest } from '../support/upload-socket.ts';

const CLIENTS = 50;
const AT_ONCE = 10;
const SEED = 7;

describe.runIf(hasDatabase)('clients that vanish while they upload', { timeout: 120_000 }, () => {
  test('at 50 random offsets leave no file, no job and a service that goes on', async () => {
    const rig = await startRig();
    const random = seededRandom(SEED);
    const request = uploadRequest(rig.service.url, await noisePng(1_000_000));
    for (let sent = 0; sent < CLIENTS; sent += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          const offset = Math.floor(random() * request.length);
          const socket = await sendBytes(rig.service.url, request.subarray(0, offset));
          socket.resetAndDestroy();
        }),
      );
    }
    expect(await rig.orphans()).toBe(0);
    const { data } = await rig.query('{ editJobs { totalCount } }');
    expect(data.editJobs.totalCount).toBe(0);
    const id = await rig.submit('after them');
    expect((await rig.final(id)).status).toBe('SUCCEEDED');
    expect(await rig.sandbox.stats()).toMatchObject({ requests: 1, paid: 1 });
  });
});
