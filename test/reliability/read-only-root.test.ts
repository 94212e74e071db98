import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../support/directory.ts';
import { createGraphqlClient } from '../support/graphql-client.ts';
import { freePorts } from '../support/nginx.ts';
import {
  containerOf,
  environmentOf,
  imageInstructions,
  kubectl,
  ofKind,
  podOf,
  render,
} from '../support/overlays.ts';
import { spawnCommand } from '../support/processes.ts';
import { canChangeRoot, inContainer } from '../support/read-only-root.ts';
import { png } from '../support/test-images.ts';

const run = promisify(execFile);
const isPossible = kubectl !== null && canChangeRoot();
if (!isPossible) {
  process.stderr.write(
    '\n!!! NO KUBECTL, OR NOT ROOT: the pod with a read-only root is not tried. !!!\n\n',
  );
}

// The embedded database writes most.
test.runIf(isPossible && inject('databaseKind') === 'pglite')(
  'a pod of the overlay minimal edits an image, with a read-only root, without root’s rights',
  async () => {
    const manifests = await render('minimal');
    const [deployment = {}] = ofKind(manifests, 'Deployment');
    const { runAsUser: uid, runAsGroup: gid } = podOf(deployment)['securityContext'];
    const { volumeMounts, startupProbe, livenessProbe, readinessProbe } = containerOf(deployment);
    const writable = volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath);
    const dir = await temporaryDirectory();
    const launcher = await inContainer(dir, { uid, gid, app: '/app', writable });
    const [port = 0] = await freePorts(1);
    const env = {
      ...environmentOf(manifests, deployment),
      PORT: String(port),
      NODE_ENV: 'production',
      PATH: `/app/node_modules/.bin:${process.env['PATH']}`,
    };
    const inside = (...command: string[]) => {
      const [file = '', ...args] = [...launcher, ...command];
      return run(file, args, { env });
    };
    await expect(inside('sh', '-c', 'echo > /app/src/x')).rejects.toThrow('Read-only file system');
    await expect(inside('sh', '-c', 'echo > /x')).rejects.toThrow('Read-only file system');
    expect((await inside('id', '-u')).stdout.trim()).toBe(String(uid));

    const instructions = await imageInstructions();
    const command = instructions.find((line) => line.startsWith('CMD '))?.slice('CMD '.length);
    const service = spawnCommand([...launcher, ...JSON.parse(command ?? '')], env);
    onTestFinished(service.kill);
    await service.line((line) => line.includes('"msg":"ready"'));
    const url = `http://127.0.0.1:${port}`;
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect((await fetch(`${url}${httpGet.path}`)).status).toBe(200);
    }

    // As docs/deploy.md has it.
    const { stdout: key } = await inside(
      ...['node', '--disable-warning=ExperimentalWarning', 'src/cli/main.ts', 'keys', 'create'],
      ...['--owner', 'ops', '--scope', 'admin'],
    );
    const client = createGraphqlClient(() => url, { authorization: `Bearer ${key.trim()}` });
    const { editJob } = await client.editUpload(await png(), { prompt: 'a hat', wait: 60 });
    expect(editJob).toMatchObject({ status: 'SUCCEEDED', outputImages: [{}] });
    service.child.kill('SIGTERM');
    expect(await service.exited).toBe(0);
    expect(
      service.lines.filter((line) => /"level":"(error|fatal)"|EROFS|EACCES/.test(line)),
    ).toEqual([]);
  },
);
