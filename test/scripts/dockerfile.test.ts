import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFile(join(ROOT, path), 'utf8');

/** Instructions in order, each on one line. */
const instructions = (await read('Dockerfile'))
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '');
const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

/** Sources in the repository of every COPY. */
const sources = instructions
  .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
  .flatMap((line) => line.split(/\s+/).slice(1, -1));

const patterns = (await read('.dockerignore')).split('\n').filter((line) => /^[^#]/.test(line));

/** By the last pattern for the path or a folder above it. Ours are paths, and `*` for everything. */
function isIgnored(path: string): boolean {
  const parts = path.split('/');
  const above = ['*', ...parts.map((_, index) => parts.slice(0, index + 1).join('/'))];
  const decides = patterns.findLast((pattern) => above.includes(pattern.replace(/^!/, '')));
  return decides !== undefined && !decides.startsWith('!');
}

test('everything that the image copies exists, and .dockerignore lets it pass', () => {
  expect(sources).toContain('src');
  for (const source of sources) {
    expect(existsSync(join(ROOT, source)), source).toBe(true);
    expect(isIgnored(source), source).toBe(false);
  }
  for (const path of ['node_modules', 'data', '.env', '.git', 'src/database/generated']) {
    expect(isIgnored(path), path).toBe(true);
  }
});

test('.dockerignore lets nothing pass that the image does not copy', () => {
  const passed = patterns.filter((pattern) => pattern.startsWith('!'));
  expect(passed.map((pattern) => pattern.slice(1)).toSorted()).toEqual(
    [...new Set(sources)].filter((source) => !source.startsWith('src/')).toSorted(),
  );
});

test('the layers of the image are in the order of how rarely they change', () => {
  const layers = last
    .filter((line) => /^(RUN apt-get|COPY )/.test(line))
    .map((line) => line.split(' ').at(line.startsWith('COPY ') ? -1 : 1));
  expect(layers).toEqual([
    'apt-get',
    './node_modules',
    './prisma',
    './src/database/generated',
    './build',
    './',
    './src',
  ]);
});

test('what differs between two builds of one commit comes after all layers', () => {
  const isLayer = (line: string) => /^(RUN|COPY) /.test(line);
  const isVariable = (line: string) => /^(ARG|LABEL) /.test(line);
  expect(last.findIndex(isVariable)).toBeGreaterThan(last.findLastIndex(isLayer));
});

test('the image says what it is, in the version of package.json', async () => {
  const { version, license } = JSON.parse(await read('package.json'));
  const labels = last.find((line) => line.startsWith('LABEL '));
  for (const [name, value] of Object.entries({
    title: 'Retouch',
    description: '.+',
    licenses: license,
    version: '\\$VERSION',
    revision: '\\$REVISION',
    source: '\\$SOURCE',
  })) {
    expect(labels).toMatch(new RegExp(`org\\.opencontainers\\.image\\.${name}="${value}"`));
  }
  expect(last).toContain(`ARG VERSION=${version}`);
});

test('every base image names the major version of the pinned Node, and the process is not root', async () => {
  const { devDependencies } = JSON.parse(await read('package.json'));
  const [major] = devDependencies.node.split('.');
  const images = instructions.filter((line) => line.startsWith('FROM '));
  for (const image of images) expect(image.split(' ')[1]).toBe(`node:${major}-slim`);
  expect(last.filter((line) => line.startsWith('USER '))).toEqual(['USER node']);
  expect(await read('compose.yaml')).not.toMatch(/image: [^:\s]+(:latest)?$/m);
});
