import { access, glob, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { composeServices } from '@apollo/composition';
import { buildSchema, type GraphQLSchema, parse, printSchema, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { SETTINGS } from '../src/config/settings.ts';
import { EDIT_ERRORS, type EditErrorCode } from '../src/edits-api/edit-error-codes.ts';
import { INVALID_INPUT_CODES } from '../src/errors.ts';
import { CATALOGUE } from '../src/models/catalogue.ts';
import { formatDecimal } from '../src/models/decimal.ts';
import { VALUE_LIMITS } from '../src/models/model.ts';
import { readKnownModels } from '../src/models/models.ts';
import { createPriceTable, PRICE_FRACTION_DIGITS, readPricesFile } from '../src/models/prices.ts';
import { METRICS } from '../src/telemetry/metrics.ts';
import { temporaryDirectory } from './support/directory.ts';
import { FEDERATION_EXAMPLE } from './support/federation-example.ts';
import { anchors } from './support/markdown.ts';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const documents = await Array.fromAsync(
  glob(['*.md', 'docs/**/*.md', 'examples/{*,*/*}.md'], { cwd: ROOT }),
);
const { scripts, devDependencies } = JSON.parse(await read('package.json'));

const packages = await Array.fromAsync(glob('examples/*/package.json', { cwd: ROOT }));
const knownScripts = [
  ...Object.keys(scripts),
  ...(
    await Promise.all(packages.map(async (path) => JSON.parse(await read(path)).scripts))
  ).flatMap(Object.keys),
];

/** What stands in fenced blocks of a language. */
function blocks(markdown: string, language: string): string[] {
  const fences = markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...fences].filter(([, found]) => found === language).map(([, , text = '']) => text);
}

describe('the settings', () => {
  const settings = Object.entries(SETTINGS).map(([name, setting]) => ({
    name,
    written: 'default' in setting ? setting.default : '',
    description: setting.description,
  }));

  test('are those of the table in docs/settings.md, in its order', async () => {
    const [, table = ''] =
      /^\| Variable .*\n\| --- .*\n((?:\|.*\n)+)/m.exec(await read('docs/settings.md')) ?? [];
    const rows = settings.map(({ name, written, description }) =>
      [`| \`${name}\``, written ? ` | \`${written}\`` : ' |', ` | ${description} |`].join(''),
    );
    expect(table.trim().split('\n')).toEqual(rows);
  });

  test('are those of .env.example, in its order', async () => {
    const [, ...paragraphs] = (await read('.env.example')).trim().split('\n\n');
    expect(paragraphs).toEqual(
      settings.map(({ name, written, description }) => `# ${description}\n#${name}=${written}`),
    );
  });
});

test('docs/metrics.md lists every metric, with its type, its labels and what it means', async () => {
  const [, table = ''] =
    /^\| Metric .*\n\| --- .*\n((?:\|.*\n)+)/m.exec(await read('docs/metrics.md')) ?? [];
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
    const named = Object.keys(labels).map((label) => `\`${label}\``);
    return `| \`${name}\` | ${[type, named.join(', '), help].join(' | ')} |`.replace('|  |', '| |');
  });
  expect(table.trim().split('\n')).toEqual(rows);
});

/** The schema that a document's operations are for. */
async function schemaFor(document: string): Promise<GraphQLSchema> {
  if (document !== 'docs/federation.md') return buildSchema(await read('schema.graphql'));
  const subgraphs = {
    retouch: await read('schema.subgraph.graphql'),
    users: await read('examples/federation/users.graphql'),
  };
  const { schema } = composeServices(
    Object.entries(subgraphs).map(([name, sdl]) => ({ name, typeDefs: parse(sdl) })),
  );
  if (schema === undefined) throw new Error('the subgraphs do not compose');
  return buildSchema(printSchema(schema.toAPISchema().toGraphQLJSSchema()));
}

describe.each(documents)('%s', (document) => {
  test('links only to what is there', async () => {
    const markdown = await read(document);
    const links = [...markdown.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    for (const link of links.filter((target) => !/^https?:/.test(target))) {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      await expect(access(join(ROOT, target)), link).resolves.toBeUndefined();
      if (anchor !== undefined) expect(anchors(await read(target)), link).toContain(anchor);
    }
  });

  test('names only npm scripts that exist', async () => {
    const named = (await read(document)).matchAll(/npm run ([a-z][a-z:-]*)/g);
    for (const [, name] of named) expect(knownScripts).toContain(name);
  });

  test('shows only operations that fit schema.graphql', async () => {
    const schema = await schemaFor(document);
    const markdown = await read(document);
    const inCurl = blocks(markdown, 'sh').flatMap((block) =>
      [...block.matchAll(/"query": ("(?:[^"\\]|\\.)*")/g)].map(([, json = '']) => JSON.parse(json)),
    );
    for (const operation of [...blocks(markdown, 'graphql'), ...inCurl]) {
      expect(validate(schema, parse(operation)), operation).toEqual([]);
    }
  });
});

test.each(documents)('%s has JSON that can be parsed', async (document) => {
  for (const block of blocks(await read(document), 'json')) {
    expect(() => JSON.parse(block), block).not.toThrow();
  }
});

test('docs/guarantees.md has no place that still waits for its figure', async () => {
  const cells = (await read('docs/guarantees.md')).matchAll(/(?<=\| )[A-Z_]{4,}(?= \|)/g);
  expect([...cells].map(([word]) => word).filter((word) => !word.startsWith('SIG'))).toEqual([]);
});

test('docs/api.md lists every query, mutation and subscription, and nothing else', async () => {
  const schema = buildSchema(await read('schema.graphql'));
  const kinds = [schema.getQueryType(), schema.getMutationType()];
  const names = kinds.flatMap((type) => Object.keys(type?.getFields() ?? {}));
  const subscriptions = Object.keys(schema.getSubscriptionType()?.getFields() ?? {});
  const [, table = ''] =
    /^\| Operation .*\n\| --- .*\n((?:\|.*\n)+)/m.exec(await read('docs/api.md')) ?? [];
  const listed = table
    .split('\n')
    .flatMap((row) => row.split('|')[1]?.match(/(?<=`)[\w ]+(?=`)/g) ?? []);
  expect(listed.toSorted()).toEqual(
    [...names, ...subscriptions.map((name) => `subscription ${name}`)].toSorted(),
  );
});

describe('README.zh-CN.md', () => {
  /** All fenced blocks, their languages included. */
  const fences = (markdown: string) => markdown.match(/^```\w*\n.*?^```$/gms);
  /** First cells of all tables but their heads; the settings with their defaults. */
  const rows = (markdown: string) =>
    [...markdown.matchAll(/^\| (`[^|]+?) \|( `[^|]+` \|| \|)?/gm)].map(([, names = '', value]) => [
      names.match(/`[^`]+`/g),
      value,
    ]);
  const levels = (markdown: string) => markdown.replace(/^```.*?^```$/gms, '').match(/^#+ /gm);

  test.each([
    ['the same code', fences],
    ['the same sections', levels],
  ])('has %s as README.md', async (_, partsOf) => {
    const parts = partsOf(await read('README.zh-CN.md'));
    expect(parts?.length).toBeGreaterThan(5);
    expect(parts).toEqual(partsOf(await read('README.md')));
  });

  test('leads to a reference of the same operations, types, codes and settings, with the same defaults', async () => {
    const pages = ['docs/api.md', 'docs/errors.md', 'docs/settings.md'];
    const english = (await Promise.all(pages.map(read))).flatMap(rows);
    expect(english.length).toBeGreaterThan(80);
    expect(rows(await read('docs/reference.zh-CN.md'))).toEqual(english);
    expect(await read('README.zh-CN.md')).toContain('](docs/reference.zh-CN.md)');
  });

  test('and README.md lead to each other', async () => {
    expect(await read('README.md')).toContain('](README.zh-CN.md)');
    expect(await read('README.zh-CN.md')).toContain('](README.md)');
  });
});

test('the code in docs/clients.md is that of the examples, which the tests run', async () => {
  const paths = await Array.fromAsync(
    glob('examples/{apollo,urql,relay,fetch,node}/{*,src/*}.{ts,tsx,js}', { cwd: ROOT }),
  );
  const normal = (code: string) => code.replaceAll(/^\s+/gm, '').trim();
  const files = await Promise.all(paths.map(async (path) => normal(await read(path))));
  const markdown = await read('docs/clients.md');
  const shown = [...markdown.matchAll(/^ *```(?:tsx?|js)\n(.*?)^ *```$/gms)];
  expect(shown.length).toBeGreaterThan(9);
  for (const [, block = ''] of shown) {
    const isShown = files.some((file) => file.includes(normal(block)));
    expect(isShown, block).toBe(true);
  }
});

test('docs name only tests that exist', async () => {
  const tests = await Array.fromAsync(glob('test/**/*.test.ts', { cwd: ROOT }));
  for await (const path of glob('docs/*.md', { cwd: ROOT })) {
    for (const [, name = ''] of (await read(path)).matchAll(/`([\w/-]+(\.db)?\.test\.ts)`/g)) {
      const isThere = tests.some((test) => `/${test}`.endsWith(`/${name}`));
      expect(isThere, `${name}, in ${path}`).toBe(true);
    }
  }
});

test('the README shows an edit and the history by curl', async () => {
  const shell = blocks(await read('README.md'), 'sh').join('\n');
  expect(shell).toContain('editImage(');
  expect(shell).toContain('editJobs(');
});

test('the example in docs/models.md is a MODELS_FILE that is read as the page says', async () => {
  const [example = ''] = blocks(await read('docs/models.md'), 'json');
  const path = join(await temporaryDirectory(), 'models.json');
  await writeFile(path, example);
  const models = await readKnownModels(path, {});
  const { id: _, family: __, maxN, ...inherited } = models.get('gpt-image-2.7-flare');
  expect(maxN).toBe(4);
  expect(models.get('gpt-image-2.6-flare')).toMatchObject(inherited);
  expect(models.get('gpt-image-1')).toMatchObject({ maxN: 4, maxImages: 16 });
  expect(models.get('house-model')).toMatchObject({
    autoSize: false,
    inputFidelities: [],
    maxImages: 1,
    maxN: 10,
    prices: [{ version: 'house-2026-11' }],
    tokens: { input: { tokens: 800 }, output: { formula: 'figures' } },
  });
});

test('docs/models.md has the sizes, values and ends of life of the catalogue', async () => {
  const page = await read('docs/models.md');
  const told = (values: readonly string[] | null) => values?.join(', ') || 'not accepted';
  for (const model of CATALOGUE.values()) {
    const row = page
      .split('\n')
      .find((line) => line.startsWith('| ') && line.includes(`\`${model.id}\``));
    const [, , ...cells] = (row ?? '').split('|').map((cell) => cell.trim());
    expect(cells.slice(0, -1), model.id).toEqual([
      model.sizes?.kind === 'listed' ? told(model.sizes.sizes) : 'any within limits',
      told(model.qualities),
      told(model.inputFidelities),
      told(model.complexities),
      model.shutdownDate ?? '',
    ]);
  }
});

test('docs/models.md explains every list of values of MODELS_FILE', async () => {
  const page = await read('docs/models.md');
  for (const limit of VALUE_LIMITS)
    expect(page).toMatch(new RegExp(`^\\| .*\`${limit}\`.* \\|`, 'm'));
});

test('docs/errors.md has every code of an invalid input, in the words of the schema', async () => {
  const rows = (await read('docs/errors.md')).matchAll(/^\| `([A-Z_]+)` \| ([^|]+) \|$/gm);
  const told = Object.fromEntries([...rows].map(([, code, description]) => [code, description]));
  expect(told).toEqual(INVALID_INPUT_CODES);
});

test('docs/upstreams.md says of each error code what it means for the upstream', async () => {
  const rows = (await read('docs/upstreams.md')).matchAll(/^\| (`[A-Z_`, ]+`) \| .* \| (.*) \|$/gm);
  const told = [...rows].flatMap(([, codes = '', upstream = '']) =>
    [...codes.matchAll(/`(\w+)`/g)].map(([, code]) => ({ code, upstream })),
  );
  for (const { code, upstream } of told) {
    const { pausesUpstream, countsAsOutage } = EDIT_ERRORS[code as EditErrorCode];
    expect([/is paused|waits/.test(upstream), /circuit/.test(upstream)], code).toEqual([
      pausesUpstream,
      countsAsOutage,
    ]);
  }
  const codes = told.map(({ code }) => code);
  const concerned = Object.entries(EDIT_ERRORS).filter(
    ([, { pausesUpstream, countsAsOutage }]) => pausesUpstream || countsAsOutage,
  );
  expect(codes).toEqual(expect.arrayContaining(concerned.map(([code]) => code)));
});

test('the documents name only error codes that exist', async () => {
  const named = /(?<=(?:error\.code|errorCode)\W{1,6})[A-Z]+(?:_[A-Z]+)+/g;
  for (const document of documents) {
    const codes = [...(await read(document)).matchAll(named)].map(([code]) => code);
    for (const code of codes) expect(Object.keys(EDIT_ERRORS), document).toContain(code);
  }
});

test('the code in docs/federation.md is that of the example, which the gateways’ suites run', async () => {
  const names = await readdir(FEDERATION_EXAMPLE);
  const files = await Promise.all(
    names.filter((name) => name.endsWith('.js')).map((name) => read(`examples/federation/${name}`)),
  );
  const shown = blocks(await read('docs/federation.md'), 'js').flatMap((block) => block.trim());
  expect(shown.length).toBeGreaterThan(3);
  for (const block of shown) {
    expect(
      files.some((file) => file.includes(block)),
      block,
    ).toBe(true);
  }
});

describe('docs/pricing.md', () => {
  test('has an example that is read as a PRICES_FILE', async () => {
    const [example = ''] = blocks(await read('docs/pricing.md'), 'json');
    const path = join(await temporaryDirectory(), 'prices.json');
    await writeFile(path, example);
    const prices = await readPricesFile(path);
    const table = createPriceTable((model) => prices[model] ?? []);
    const at = (time: string) => table.at('gpt-image-1', new Date(time))?.version;
    expect(at('2026-06-01T07:59:59Z')).toBe('relay-2026-01');
    expect(at('2026-06-01T08:00:00Z')).toBe('relay-2026-06');
  });

  test('has the prices of the catalogue', async () => {
    const published = [...CATALOGUE.values()].flatMap(({ id, prices: versions }) =>
      versions.map(({ from, prices }) => ({
        model: id,
        from: from.toISOString().slice(0, 10),
        prices: Object.values(prices).map((price) =>
          price === null ? '' : Number(formatDecimal(price, PRICE_FRACTION_DIGITS)).toFixed(2),
        ),
      })),
    );
    const rows = (await read('docs/pricing.md')).matchAll(/^\| (`gpt.*) \|$/gm);
    const told = [...rows].flatMap(([, row = '']) => {
      const [models = '', ...cells] = row.split('|').map((cell) => cell.trim());
      const from = cells.pop();
      return [...models.matchAll(/`(.+?)`/g)].map(([, model]) => ({ model, from, prices: cells }));
    });
    expect(told).toEqual(published);
  });
});

test('docs/architecture.md has a line for everything at the top of src, and for nothing else', async () => {
  const house = blocks(await read('docs/architecture.md'), 'text').join('\n');
  const entries = await readdir(join(ROOT, 'src'), { withFileTypes: true });
  const named = [...house.matchAll(/^ {2}(\S+) +\S/gm)].map(([, name]) => name);
  const found = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  expect(named.toSorted()).toEqual(found.toSorted());
});

test('the container image starts the service as npm start does, on the same major Node', async () => {
  const dockerfile = await read('Dockerfile');
  const [, command = ''] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  // There is no .env in the image.
  expect(JSON.parse(command).join(' ')).toBe(
    scripts.start.replace('--env-file-if-exists=.env ', ''),
  );
  const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  const [major] = devDependencies.node.split('.');
  expect(new Set(images)).toEqual(new Set([`node:${major}-slim`]));
});
