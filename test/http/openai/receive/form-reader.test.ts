import { Readable } from 'node:stream';
import busboy from 'busboy';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFormReader } from '../../../../src/http/openai/receive/form-reader.ts';
import { BOUNDARY, filePart, formBody } from '../../../support/multipart.ts';

interface Read {
  readonly name: string;
  readonly isFile: boolean;
  readonly content: string;
}

async function read(body: Buffer, size: number, boundary = BOUNDARY): Promise<Read[]> {
  let at = 0;
  const next = async () => {
    const chunk = body.subarray(at, at + size);
    at += size;
    return chunk.length === 0 ? null : chunk;
  };
  const reader = createFormReader({ next }, { boundary, maxParts: 20 });
  const found: Read[] = [];
  for (let part = await reader.next(); part !== null; part = await reader.next()) {
    const pieces: Buffer[] = [];
    for await (const piece of part.body.stream()) pieces.push(Buffer.from(piece));
    const { name, filename } = part.header;
    const content = Buffer.concat(pieces).toString('latin1');
    found.push({ name, isFile: filename !== null, content });
  }
  return found;
}

/** The same by busboy, which is what reads other forms. */
async function readByBusboy(body: Buffer, size: number, boundary: string): Promise<Read[]> {
  const found: Read[] = [];
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  const parser = busboy({ headers, defCharset: 'latin1' });
  const contents: Promise<unknown>[] = [];
  parser.on('field', (name, content) => found.push({ name, isFile: false, content }));
  parser.on('file', (name, file) => {
    const place = found.push({ name, isFile: true, content: '' }) - 1;
    contents.push(
      file.toArray().then((pieces) => {
        found[place] = { name, isFile: true, content: Buffer.concat(pieces).toString('latin1') };
      }),
    );
  });
  const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size),
  );
  await new Promise((resolve, reject) => {
    Readable.from(chunks).pipe(parser).on('close', resolve).on('error', reject);
  });
  await Promise.all(contents);
  return found;
}

test('a form is read alike, however it is cut into chunks', async () => {
  const content = `\r\n--${BOUNDARY.slice(0, 5)}\r\r\n-\r`;
  const body = formBody([
    { name: 'a', content },
    filePart('b', Buffer.from(content)),
    { name: 'c', content: '' },
  ]);
  for (let size = 1; size < 80; size += 1) {
    expect(await read(body, size)).toEqual([
      { name: 'a', isFile: false, content },
      { name: 'b', isFile: true, content },
      { name: 'c', isFile: false, content: '' },
    ]);
  }
});

test('a form is read as busboy reads it, whatever is in it', async () => {
  // Mostly the bytes of which boundaries consist.
  const content = fc
    .array(fc.constantFrom('\r', '\n', '-', '--', '\r\n', '\r\n--', '\r\n--x', 'x', '\0', '\xff'), {
      maxLength: 12,
    })
    .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));
  const part = fc.record(
    { name: fc.stringMatching(/^[a-z[\]]{1,5}$/), content, filename: fc.constantFrom('f', 'a b') },
    { requiredKeys: ['name', 'content'] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 5 }),
      fc.integer({ min: 1, max: 60 }),
      async (parts, size) => {
        const body = formBody(parts);
        expect(await read(body, size)).toEqual(await readByBusboy(body, size, BOUNDARY));
      },
    ),
    { numRuns: 200 },
  );
});

test('what is left of a part is skipped, also while a reader that gave up still reads it', async () => {
  const file = Buffer.alloc(10_000, 'x');
  const body = formBody([filePart('a', file), { name: 'b', content: 'y' }]);
  for (const isReading of [false, true]) {
    let at = 0;
    let calls = 0;
    const next = async () => {
      calls += 1;
      expect(calls).toBe(1);
      await new Promise(setImmediate);
      const chunk = body.subarray(at, at + 100);
      at += chunk.length;
      calls -= 1;
      return chunk.length === 0 ? null : chunk;
    };
    const reader = createFormReader({ next }, { boundary: BOUNDARY, maxParts: 2 });
    const stream = (await reader.next())?.body.stream();
    const given: Buffer[] = [];
    const drained = (async () => {
      for await (const piece of isReading ? (stream ?? []) : []) given.push(piece);
    })();
    // By now it waits for the next chunk.
    while (isReading && given.length < 3) await new Promise(setImmediate);
    const second = await reader.next();
    expect(second?.header.name).toBe('b');
    await drained;
    expect(Buffer.concat(given).length).toBeLessThan(1_000);
    expect(await stream?.next()).toEqual({ done: true, value: undefined });
    expect(await reader.next()).toBeNull();
  }
});
