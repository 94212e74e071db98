import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SHOWN_PARAMETERS } from '../../src/edits/parameters.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { insertForeignRows } from '../support/foreign-rows.ts';
import { EDIT } from '../support/operations.ts';
import { pathsOf, selectionOf } from '../support/selection-of.ts';
import { png } from '../support/test-images.ts';

const HISTORY = /* GraphQL */ `
  query History($filter: EditJobFilter, $search: String, $orderBy: EditJobOrder) {
    editJobs(first: 100, filter: $filter, search: $search, orderBy: $orderBy) {
      edges { node { id ...Record } }
    }
  }
`;
const PROMPTS = [
  '=HYPERLINK("http://x")',
  'make it "autumn",\nplease',
  '秋天的树叶',
  'a hat',
  'A HAT',
];
/** More than one page of the history, and more than fits into the buffers on the way. */
const MANY = 2_500;

interface Arguments {
  filter?: object;
  search?: string;
  orderBy?: object;
}

describe.runIf(hasDatabase)('the export of the history', () => {
  let app: TestApp;
  let imageId = '';

  beforeAll(async () => {
    app = await startTestApp();
    for (const [i, prompt] of PROMPTS.entries()) {
      if (i === 3) app.sandbox.faults.push({ kind: 'moderation' });
      const { data } = await app.upload(
        EDIT,
        {
          input: {
            images: [{ file: null }],
            prompt,
            metadata: { i: String(i) },
            outputFormat: 'JPEG',
          },
        },
        { 'input.images.0.file': await png(64, 48) },
      );
      imageId ||= data.editImage.editJob.inputImages[0].id;
    }
    await insertForeignRows(app);
  });
  afterAll(() => app?.stop());

  function url(args: Arguments & { format?: string }): string {
    const { format, search, filter, orderBy } = args;
    const query = new URLSearchParams({
      ...(format && { format }),
      ...(search && { search }),
      ...(filter && { filter: JSON.stringify(filter) }),
      ...(orderBy && { orderBy: JSON.stringify(orderBy) }),
    });
    return `${app.url}/export/edits?${query}`;
  }

  async function ndjson(args: Arguments) {
    const response = await fetch(url(args));
    expect(response.status).toBe(200);
    const lines = (await response.text()).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  test('has every parameter under the name of the field of EditJob', async () => {
    const [edit] = await ndjson({});
    const csv = await (await fetch(url({ format: 'csv' }))).text();
    const columns = csv.slice(0, csv.indexOf('\r\n')).split(',');
    const { data } = await app.query('{ __type(name: "EditJob") { fields { name } } }');
    const fields = data.__type.fields.map(({ name }: { name: string }) => name);
    expect(SHOWN_PARAMETERS).toContain('complexity');
    for (const name of SHOWN_PARAMETERS) {
      expect(edit).toHaveProperty(name);
      expect(columns).toContain(name);
      expect(fields).toContain(name);
    }
  });

  const of = (i: number) => ({ metadata: { i: String(i) } });

  test.each<[string, () => Arguments]>([
    ['everything', () => ({})],
    ['a status', () => ({ filter: { status: ['FAILED'] } })],
    ['a label', () => ({ filter: of(1) })],
    ['a picture', () => ({ filter: { inputImageId: imageId } })],
    ['a search', () => ({ search: 'a hat' })],
    ['a search in Chinese', () => ({ search: '秋天' })],
    ['an order', () => ({ orderBy: { field: 'DURATION', direction: 'ASC' } })],
    ['nothing', () => ({ filter: { model: ['none'] } })],
  ])('has %s as GraphQL returns it, by the same names', async (_, args) => {
    const all = await ndjson({});
    const fragment = `fragment Record on EditJob ${selectionOf(all)}`;
    const { data, errors } = await app.query(HISTORY + fragment, args());
    expect(errors).toBeUndefined();
    const nodes = data.editJobs.edges.map(({ node }: { node: object }) => node);
    const edits = await ndjson(args());
    expect(edits).toHaveLength(nodes.length);
    // A record may also have fields that are null in all.
    for (const [i, edit] of edits.entries()) expect(edit).toMatchObject(nodes[i]);
  });

  test('as CSV has a head, a record for each edit, and no formula', async () => {
    const response = await fetch(url({ format: 'csv' }));
    expect(response.headers.get('content-type')).toContain('text/csv');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="edits-.*\.csv"$/,
    );
    const csv = await response.text();
    const head = csv.slice(0, csv.indexOf('\r\n')).split(',');
    expect(head).toEqual(expect.arrayContaining(pathsOf(await ndjson({}))));
    expect(csv).toContain(`,"'=HYPERLINK(""http://x"")",`);
    expect(csv).toContain(',"make it ""autumn"",\nplease",');
    expect(csv.match(/\r\n/g)).toHaveLength(PROMPTS.length + 1);
  });

  test.each([
    ['filter={"status":["NONE"]}', 'filter.status.0'],
    ['filter={"createdAt":{"from":"yesterday"}}', 'filter.createdAt.from'],
    ['filter={"colour":"red"}', 'colour'],
    ['filter={"inputImageId":"nonsense"}', 'filter.inputImageId'],
    ['filter=[', 'filter'],
    ['orderBy={"field":"CREATED_AT","direction":"UP"}', 'orderBy.direction'],
    ['format=xml', 'format'],
    ['fliter={}', 'fliter'],
    [`search=${'x'.repeat(1_001)}`, 'search'],
  ])('of %s is refused, and the field is named', async (query, field) => {
    const response = await fetch(`${app.url}/export/edits?${query}`);
    expect(response.status).toBe(400);
    const { errors } = await response.json();
    expect(errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(errors[0].message).toContain(field);
  });

  test('is read only: by GET, or its head by HEAD', async () => {
    const posted = await fetch(url({}), { method: 'POST' });
    expect(posted.status).toBe(405);
    await posted.text();
    const head = await fetch(url({}), { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
  });

  test('of thousands has each once in order, and reads no more once the client is gone', async () => {
    await app.withDatabase(async (prisma) => {
      const [job] = await prisma.editJob.findMany({ where: { ownerId: 'local' }, take: 1 });
      if (job?.promptId == null) throw new Error('there is no edit');
      const { promptId } = job;
      await prisma.editJob.createMany({
        data: Array.from({ length: MANY }, (_, i) => ({
          id: randomUUID(),
          ownerId: 'local',
          promptId,
          sandbox: true,
          model: 'many',
          size: 'auto',
          resolvedSize: 'auto',
          n: 1,
          status: 'SUCCEEDED' as const,
          metadata: { filler: 'x'.repeat(4_000), i },
          // Many at one time: the id decides.
          createdAt: new Date(1_700_000_000_000 + Math.floor(i / 7)),
        })),
      });
    });
    const many = { filter: { model: ['many'] } };
    const reads = () => app.logged.filter((line) => line.includes('"sql":"SELECT page.id')).length;
    const whole = reads();
    const edits = await ndjson(many);
    const ofWhole = reads() - whole;
    expect(new Set(edits.map(({ id }) => id)).size).toBe(MANY);
    const times = edits.map(({ createdAt }) => createdAt);
    expect(times).toEqual(times.toSorted().reverse());

    expect(ofWhole).toBeGreaterThanOrEqual(MANY / 500);
    const before = reads();
    await new Promise<void>((resolve, reject) => {
      const request = get(url(many), (response) => {
        response.once('data', () => {
          // It holds what has come, and takes no more: the service must wait, too.
          response.pause();
          setImmediate(() => {
            response.once('close', () => resolve());
            request.destroy();
          });
        });
        response.on('error', () => {});
      });
      request.on('error', (error) => ('code' in error ? resolve() : reject(error)));
    });
    // Its turn comes after what was still being read.
    expect((await app.query('{ editJobs(first: 1) { totalCount } }')).errors).toBeUndefined();
    expect(reads() - before).toBeLessThan(ofWhole);
    const failures = app.logged.filter((line) => line.includes('history not exported'));
    expect(failures).toEqual([]);
  });
});
