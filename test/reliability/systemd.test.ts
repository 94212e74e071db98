import { expect, inject, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { freePorts } from '../support/nginx.ts';
import { spawnCommand } from '../support/processes.ts';
import { canChangeRoot, inContainer } from '../support/read-only-root.ts';
import { environmentOf, readUnit } from '../support/systemd-unit.ts';
import { png } from '../support/test-images.ts';

const isPossible = canChangeRoot();
if (!isPossible) {
  process.stderr.write('\n!!! NOT ROOT: the command of the systemd unit is not tried. !!!\n\n');
}

/** Some user that this machine does not have, as DynamicUser= makes one. */
const USER = 61_184;

test.runIf(isPossible && inject('databaseKind') === 'pglite')(
  'the command of retouch.service edits an image as a user who may write only to its directories',
  async () => {
    const unit = await readUnit('retouch.service');
    expect(unit).toMatchObject({ DynamicUser: ['yes'], ProtectSystem: ['strict'] });
    const [app = ''] = unit['WorkingDirectory'] ?? [];
    const { DATA_DIR = '', NODE_COMPILE_CACHE = '', ...more } = environmentOf(unit);
    const writable = [DATA_DIR, NODE_COMPILE_CACHE, '/tmp'];
    const dir = await temporaryDirectory();
    const launcher = await inContainer(dir, { uid: USER, gid: USER, app, writable });
    const [port = 0] = await freePorts(1);
    // The Node.js of this checkout.
    const command = (unit['ExecStart']?.[0] ?? '').replace(
      '/usr/bin/node',
      `${app}/node_modules/.bin/node`,
    );
    const service = spawnCommand([...launcher, ...command.split(' ')], {
      ...more,
      DATA_DIR,
      NODE_COMPILE_CACHE,
      PORT: String(port),
      PATH: process.env['PATH'] ?? '',
    });
    onTestFinished(service.kill);
    await service.line((line) => line.includes('"msg":"ready"'));
    const client = createGraphqlClient(() => `http://127.0.0.1:${port}`);
    const { editJob } = await client.editUpload(await png(), { prompt: 'a hat', wait: 60 });
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', outputImages: [{}] });
    service.child.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(
      service.lines.filter((line) => /"level":"(error|fatal)"|EROFS|EACCES/.test(line)),
    ).toEqual([]);
  },
);
