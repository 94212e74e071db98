import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Manifest } from './overlays.ts';
import { ROOT } from './overlays.ts';

const run = promisify(execFile);

/** The package with the schema of each kind, by apiVersion. */
const SCHEMAS: Readonly<Record<string, string>> = {
  v1: 'kubernetes-models/v1',
  'apps/v1': 'kubernetes-models/apps/v1',
  'networking.k8s.io/v1': 'kubernetes-models/networking.k8s.io/v1',
  'policy/v1': 'kubernetes-models/policy/v1',
  'keda.sh/v1alpha1': '@kubernetes-models/keda/keda.sh/v1alpha1',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};

function schemaOf({ apiVersion, kind }: Manifest): string {
  const schema = SCHEMAS[apiVersion];
  if (schema === undefined) throw new Error(`no schema for ${kind} of ${apiVersion}`);
  return schema;
}

/**
 * Checks a manifest against the JSON schema of its kind: types, formats, required fields. Unknown
 * fields pass. @throws Error that names the fields.
 */
export async function validate(manifest: Manifest): Promise<void> {
  const { [manifest['kind']]: Model } = await import(schemaOf(manifest));
  new Model(manifest).validate();
}

/**
 * The errors of the compiler for manifests that it reads as values of the types of their kinds. It
 * finds unknown fields, which a cluster ignores or rejects.
 */
export async function typeErrors(manifests: readonly Manifest[]): Promise<readonly string[]> {
  // Below the packages that it imports from.
  await mkdir(join(ROOT, 'build'), { recursive: true });
  const dir = await mkdtemp(join(ROOT, 'build/manifests-'));
  try {
    const lines = manifests.map((manifest, at) => {
      const type = `import('${schemaOf(manifest)}').I${manifest['kind']}`;
      return `export const m${at}: ${type} = ${JSON.stringify(manifest, null, 2)};\n`;
    });
    await writeFile(join(dir, 'manifests.ts'), lines.join('\n'));
    const config = { extends: '../../tsconfig.json', include: ['manifests.ts'] };
    await writeFile(join(dir, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const { stdout } = await run(tsc, ['--project', dir, '--pretty', 'false']).catch(
      (error: { stdout: string }) => error,
    );
    return stdout.split('\n').filter((line) => line.includes(' error '));
  } finally {
    await rm(dir, { recursive: true });
  }
}
