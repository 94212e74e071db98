import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { findProgram } from './find-program.ts';

const run = promisify(execFile);
export const ROOT = resolve(import.meta.dirname, '../..');
export const OVERLAYS = ['minimal', 'production'] as const;

/** Null: there is none. */
export const kubectl = findProgram('kubectl');

// biome-ignore lint/suspicious/noExplicitAny: what it is, is what the tests find out.
export type Manifest = Record<string, any>;

/** The manifests that `kubectl apply --kustomize` would send. */
export async function render(overlay: string): Promise<readonly Manifest[]> {
  const dir = join(ROOT, 'deploy/kubernetes/overlays', overlay);
  const { stdout } = await run(kubectl ?? '', ['kustomize', dir]);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

export const ofKind = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter((manifest) => manifest['kind'] === kind);

export const podOf = (deployment: Manifest): Manifest => deployment['spec'].template.spec;
export const containerOf = (deployment: Manifest): Manifest => podOf(deployment)['containers'][0];

/** As the container gets it: a secret that is not in `secrets` is its own name, or absent if optional. */
export function environmentOf(
  manifests: readonly Manifest[],
  deployment: Manifest,
  secrets: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const { env, envFrom } = containerOf(deployment);
  const given: Record<string, string> = {};
  for (const { configMapRef } of envFrom) {
    const map = ofKind(manifests, 'ConfigMap').find(
      ({ metadata }) => metadata.name === configMapRef.name,
    );
    if (map === undefined) throw new Error(`there is no ConfigMap ${configMapRef.name}`);
    Object.assign(given, map['data']);
  }
  for (const { name, value, valueFrom } of env) {
    const { key, optional } = valueFrom?.secretKeyRef ?? {};
    if (!optional || key in secrets) given[name] = value ?? secrets[key] ?? key;
  }
  return given;
}

/** A service of compose.yaml, with what it merges. */
export async function composeService(name: string): Promise<Manifest> {
  const text = await readFile(join(ROOT, 'compose.yaml'), 'utf8');
  return parse(text, { merge: true }).services[name];
}

/** The instructions of the image that is run, each on one line. */
export async function imageInstructions(): Promise<readonly string[]> {
  const text = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const lines = text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n');
  return lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
}
