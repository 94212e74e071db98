import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { hasDatabase } from '../support/database.ts';
import { filesIn } from '../support/directory.ts';
import { eventually } from '../support/eventually.ts';
import { MULTIPART_HEADERS } from '../support/multipart.ts';
import { EDIT } from '../support/operations.ts';
import { noisePng, png } from '../support/test-images.ts';
import { uploadRequest } from '../support/upload-socket.ts';

describe.runIf(hasDatabase)('while as much is being uploaded as may be', () => {
  let app: TestApp;
  let picture: Buffer;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    // One at a time, then.
    app = await startTestApp({ MAX_CONCURRENT_UPLOAD_BYTES: '1', SHUTDOWN_GRACE_SECONDS: '0' });
    picture = await png();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await app.stop();
  });

  function open(): Socket {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    sockets.push(socket);
    return socket.on('error', () => undefined);
  }

  /** A connection that has sent the head of an upload and asks whether to go on. */
  async function ask(request: Buffer): Promise<{ socket: Socket; answer: string; body: Buffer }> {
    const socket = open();
    const bodyAt = request.indexOf('\r\n\r\n') + 4;
    const head = request.subarray(0, bodyAt - 2).toString();
    socket.write(`${head}expect: 100-continue\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    return { socket, answer: String(answer), body: request.subarray(bodyAt) };
  }

  /** Takes the place, and keeps it until its body is sent. */
  async function upload() {
    const asked = await ask(uploadRequest(app.url, picture));
    expect(asked.answer).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    return asked;
  }
  const edit = (file: Uint8Array, input: object = {}) =>
    app.upload(
      EDIT,
      { input: { images: [{ file: null }], prompt: 'p', ...input } },
      { 'input.images.0.file': file },
    );

  test('a further upload is told when to come again, and nothing of it is kept', async () => {
    await upload();
    const request = uploadRequest(app.url, await noisePng(5_000_000));
    const before = await filesIn(app.dir);
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'apollo-require-preflight': 'true', ...MULTIPART_HEADERS },
      body: new Uint8Array(request.subarray(request.indexOf('\r\n\r\n') + 4)),
    });
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toEqual({
      errors: [
        {
          message:
            'Too many uploads are in progress. This upload was not read; send it again later.',
          extensions: { code: 'UNAVAILABLE' },
        },
      ],
    });
    const { data } = await app.query('{ editJobs { totalCount } }');
    expect(data.editJobs.totalCount).toBe(0);
    const staged = (files: string[]) => files.filter((file) => file.includes('/staging/'));
    expect(staged(await filesIn(app.dir))).toEqual(staged(before));
  });

  test('a further upload that asks before it sends is not asked for its body', async () => {
    await upload();
    const { answer } = await ask(uploadRequest(app.url, picture));
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
  });

  test('the connection of a refused upload carries the next request', async () => {
    await upload();
    const socket = open();
    socket.write(uploadRequest(app.url, await noisePng(5_000_000)));
    const query = '{"query":"{ __typename }"}';
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${query.length}\r\n\r\n${query}`,
    );
    let answers = '';
    for await (const chunk of socket) {
      answers += chunk;
      if (answers.includes('"__typename"')) break;
    }
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200']);
  });

  test('the next one is served as soon as it is through, and as soon as it is gone', async () => {
    const { socket, body } = await upload();
    socket.write(body);
    expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1\.1 200 /);
    const other = await upload();
    expect((await edit(picture)).httpStatus).toBe(503);
    other.socket.destroy();
    await eventually(async () => expect((await edit(picture)).httpStatus).toBe(200));
  });

  test('an upload whose edit is waited for is in nobody’s way', async () => {
    app.sandbox.faults.push({ kind: 'hang' });
    // Answered when the service stops.
    edit(picture, { wait: 600 }).catch(() => undefined);
    await eventually(() => expect(app.sandbox.stats().requests).toBe(1));
    expect((await edit(picture, { wait: 0 })).data.editImage.__typename).toBe('EditImagePayload');
  });
});
