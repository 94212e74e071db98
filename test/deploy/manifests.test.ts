import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { databaseNames } from '../../src/database/names.ts';
import { RUN_EDIT } from '../../src/edits/edit-queue.ts';
import { typeErrors, validate } from '../support/check-manifests.ts';
import {
  composeService,
  containerOf,
  environmentOf,
  imageInstructions,
  kubectl,
  type Manifest,
  OVERLAYS,
  ofKind,
  podOf,
  ROOT,
  render,
} from '../support/overlays.ts';

if (kubectl === null) {
  process.stderr.write('\n!!! NO KUBECTL: the Kubernetes manifests are not checked. !!!\n\n');
}

/** The Secret `retouch` that docs/deploy.md has for an overlay, with all that is optional. */
const PRODUCTION = {
  DATABASE_URL: 'postgres://retouch:secret@postgres/retouch',
  DATABASE_DIRECT_URL: 'postgres://retouch:secret@postgres-direct/retouch',
  SECRET_KEY: secretKey(5),
  PREVIOUS_SECRET_KEYS: secretKey(7),
  EDITS_API_KEY: 'sk-test-canary',
};
const SECRETS = { minimal: {}, production: PRODUCTION };

/** Settings of another release, until it has them. */
const SOON = ['METRICS_HOST', 'METRICS_PORT'];

function secretKey(step: number): string {
  return Buffer.from(Array.from({ length: 32 }, (_, at) => at * step)).toString('base64');
}

/** What the pods of a rendered Deployment have in their metadata. */
const metadataOf = (deployment: Manifest) => deployment['spec'].template.metadata.labels;

const isSelected = (deployment: Manifest, selector: Record<string, string>) =>
  Object.entries(selector).every(([name, value]) => metadataOf(deployment)[name] === value);

/** Longer than the grace period, after which main.ts ends a shutdown. */
async function stopMarginSeconds(): Promise<number> {
  const main = await readFile(join(ROOT, 'src/main.ts'), 'utf8');
  const [, margin = ''] = /const STOP_MARGIN_MS = ([\d_]+);/.exec(main) ?? [];
  return Number(margin.replaceAll('_', '')) / 1_000;
}

describe.runIf(kubectl !== null).each(OVERLAYS)('the overlay %s', (overlay) => {
  let manifests: readonly Manifest[];
  let deployments: Manifest[];

  beforeAll(async () => {
    manifests = await render(overlay);
    deployments = ofKind(manifests, 'Deployment');
  });

  test('renders manifests that fit the schemas of their kinds', async () => {
    expect(manifests.length).toBeGreaterThan(5);
    for (const manifest of manifests) await validate(manifest);
  });

  test('has no field that its kind does not have', async () => {
    expect(await typeErrors(manifests)).toEqual([]);
  });

  test('sets only settings that exist, to values that the service accepts together', async () => {
    for (const deployment of deployments) {
      const env = environmentOf(manifests, deployment, SECRETS[overlay]);
      const names = Object.keys(env).filter((name) => !SOON.includes(name));
      for (const name of names) expect(SETTINGS).toHaveProperty(name);
      expect(env['ROLE']).toBeDefined();
      expect(() => loadConfig(env)).not.toThrow();
    }
  });

  test('has no secret in it', () => {
    const secret = Object.entries(SETTINGS)
      .filter(([, setting]) => 'secret' in setting)
      .map(([name]) => name)
      // This one names a bucket.
      .filter((name) => name !== 'STORAGE_URL');
    expect(secret).toContain('EDITS_API_KEY');
    for (const { data } of ofKind(manifests, 'ConfigMap')) {
      for (const name of secret) expect(data).not.toHaveProperty(name);
    }
    for (const deployment of deployments) {
      const given = containerOf(deployment)['env'].filter(({ name }: Manifest) =>
        secret.includes(name),
      );
      for (const { valueFrom } of given) expect(valueFrom.secretKeyRef.name).toBe('retouch');
    }
    expect(ofKind(manifests, 'Secret')).toEqual([]);
  });

  test('gives a process the time to shut down, and a worker that to finish its edits', async () => {
    const marginSeconds = await stopMarginSeconds();
    expect(marginSeconds).toBeGreaterThan(0);
    for (const deployment of deployments) {
      const { limits, role } = loadConfig(environmentOf(manifests, deployment, SECRETS[overlay]));
      const { terminationGracePeriodSeconds, containers } = podOf(deployment);
      const [, preStop = 0] = containers[0].lifecycle?.preStop.exec.command ?? [];
      const graceSeconds = limits.shutdownGraceMs / 1_000;
      expect(terminationGracePeriodSeconds).toBeGreaterThan(
        Number(preStop) + graceSeconds + marginSeconds,
      );
      if (role !== 'api') expect(limits.shutdownGraceMs).toBeGreaterThan(limits.editTimeoutMs);
    }
  });

  test('is what the image and compose.yaml are: user, ports, directories, memory, version', async () => {
    const instructions = await imageInstructions();
    const environment = instructions.find((line) => line.startsWith('ENV '));
    expect(instructions).toContain('USER node');
    const { mem_limit } = await composeService('retouch');
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    for (const deployment of deployments) {
      const pod = podOf(deployment);
      const container = containerOf(deployment);
      const env = environmentOf(manifests, deployment);
      for (const name of ['HOST', 'PORT', 'DATA_DIR']) {
        expect(environment).toContain(` ${name}=${env[name]}`);
      }
      const http = container['ports'].find(({ name }: Manifest) => name === 'http');
      expect(instructions).toContain(`EXPOSE ${http.containerPort}`);
      expect(String(http.containerPort)).toBe(env['PORT']);
      const mounts = container['volumeMounts'].map(({ mountPath }: Manifest) => mountPath);
      expect(mounts.toSorted()).toEqual([env['DATA_DIR'], '/tmp']);
      expect(container['resources'].limits.memory).toBe(`${mem_limit.replace(/m$/, '')}Mi`);
      expect(container['image']).toMatch(new RegExp(`/retouch:${version}$`));
      // Those of `node` in the official images of Node.js.
      expect(pod['securityContext']).toMatchObject({ runAsUser: 1000, fsGroup: 1000 });
    }
  });

  test('passes the Pod Security Standard "restricted", and more: the root is read-only', () => {
    const [namespace] = ofKind(manifests, 'Namespace');
    expect(namespace?.['metadata'].labels).toEqual({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    for (const deployment of deployments) {
      expect(podOf(deployment)).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(containerOf(deployment)['securityContext']).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      for (const volume of podOf(deployment)['volumes']) {
        expect(Object.keys(volume).toSorted()).toSatisfy((keys: string[]) =>
          ['emptyDir,name', 'name,persistentVolumeClaim'].includes(keys.join()),
        );
      }
    }
  });

  test('refers only to what it has: pods, ports, volumes', () => {
    const claims = ofKind(manifests, 'PersistentVolumeClaim').map(({ metadata }) => metadata.name);
    for (const deployment of deployments) {
      expect(isSelected(deployment, deployment['spec'].selector.matchLabels)).toBe(true);
      for (const { labelSelector } of podOf(deployment)['topologySpreadConstraints']) {
        expect(isSelected(deployment, labelSelector.matchLabels)).toBe(true);
      }
      for (const { persistentVolumeClaim } of podOf(deployment)['volumes']) {
        if (persistentVolumeClaim) expect(claims).toContain(persistentVolumeClaim.claimName);
      }
    }
    const selected = (selector: Record<string, string>) =>
      deployments.filter((deployment) => isSelected(deployment, selector));
    const portNames = (selector: Record<string, string>) =>
      selected(selector).map((it) => containerOf(it)['ports'].map(({ name }: Manifest) => name));
    for (const { spec } of ofKind(manifests, 'PodDisruptionBudget')) {
      expect(selected(spec.selector.matchLabels)).toHaveLength(1);
    }
    for (const { spec } of ofKind(manifests, 'Service')) {
      expect(selected(spec.selector).length).toBeGreaterThan(0);
      for (const { targetPort } of spec.ports) {
        for (const names of portNames(spec.selector)) expect(names).toContain(targetPort);
      }
    }
    for (const { spec } of ofKind(manifests, 'NetworkPolicy')) {
      const { matchLabels } = spec.podSelector;
      expect(selected(matchLabels).length).toBeGreaterThan(0);
      for (const { port } of (spec.ingress ?? []).flatMap(({ ports }: Manifest) => ports)) {
        for (const names of portNames(matchLabels)) expect(names).toContain(port);
      }
    }
  });
});

describe.runIf(kubectl !== null)('the checks of manifests', () => {
  const wrong = async (change: (deployment: Manifest) => void) => {
    const [deployment = {}] = ofKind(await render('minimal'), 'Deployment');
    change(deployment);
    return deployment;
  };

  test('find a value of another type, a missing field, and a kind without a schema', async () => {
    const text = await wrong(({ spec }) => Object.assign(spec, { replicas: 'two' }));
    await expect(validate(text)).rejects.toThrow('data/spec/replicas must be integer');
    const noSelector = await wrong(({ spec }) => delete spec.selector);
    await expect(validate(noSelector)).rejects.toThrow('required property selector');
    await expect(validate({ apiVersion: 'apps/v9', kind: 'Deployment' })).rejects.toThrow(
      'apps/v9',
    );
  });

  test('find a misspelled field', async () => {
    const misspelled = await wrong((it) =>
      Object.assign(containerOf(it)['securityContext'], { readonlyRootFilesystem: true }),
    );
    expect((await typeErrors([misspelled])).join()).toContain('readonlyRootFilesystem');
  });
});

describe.runIf(kubectl !== null)('the overlay production', () => {
  test('replaces no API before its successor is ready', async () => {
    const deployments = ofKind(await render('production'), 'Deployment');
    expect(deployments.map(({ metadata }) => metadata.name)).toEqual([
      'retouch-api',
      'retouch-worker',
    ]);
    for (const { spec } of deployments) {
      expect(spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
    }
  });

  test('scales the workers, and nothing else does, by the edits that one of them runs', async () => {
    const manifests = await render('production');
    const [scaled = {}] = ofKind(manifests, 'ScaledObject');
    const worker = ofKind(manifests, 'Deployment').find(
      ({ metadata }) => metadata.name === scaled['spec'].scaleTargetRef.name,
    );
    expect(worker?.['spec']).not.toHaveProperty('replicas');
    const { limits, role } = loadConfig(environmentOf(manifests, worker ?? {}, PRODUCTION));
    expect(role).toBe('worker');
    const [trigger] = scaled['spec'].triggers;
    expect(trigger.metadata.targetQueryValue).toBe(String(limits.concurrentEdits));
    expect(trigger.metadata.query).toContain(` ${databaseNames('public').queueSchema}.job `);
    expect(trigger.metadata.query).toContain(`'${RUN_EDIT.name}'`);
    const [authentication = {}] = ofKind(manifests, 'TriggerAuthentication');
    expect(authentication['metadata'].name).toBe(trigger.authenticationRef.name);
  });

  test('has its metrics scraped at the port that serves them', async () => {
    const manifests = await render('production');
    const [monitor = {}] = ofKind(manifests, 'ServiceMonitor');
    const { matchLabels } = monitor['spec'].selector;
    const service = ofKind(manifests, 'Service').find(({ metadata }) =>
      Object.entries(matchLabels).every(([name, value]) => metadata.labels[name] === value),
    );
    const [{ name, port, targetPort }] = service?.['spec'].ports ?? [];
    expect(monitor['spec'].endpoints).toMatchObject([{ port: name, path: '/metrics' }]);
    for (const deployment of ofKind(manifests, 'Deployment')) {
      expect(environmentOf(manifests, deployment)['METRICS_PORT']).toBe(String(port));
      expect(containerOf(deployment)['ports']).toContainEqual({
        name: targetPort,
        containerPort: port,
      });
    }
  });
});
