import type { AnswerHead } from './answer-errors.ts';

const MAX_HEAD_BYTES = 8 * 1024;
const START = 'HTTP/1.1 ';
const END = '\r\n\r\n';

/**
 * The head of a response, written before its body in the file that stores it: the status, and what
 * errors and support need.
 */
export function writeHead(head: AnswerHead, contentType: string | null): Buffer {
  const { httpStatus, upstreamRequestId, retryAfterSeconds } = head;
  const headers = [
    ['content-type', contentType],
    ['x-request-id', upstreamRequestId],
    ['retry-after', retryAfterSeconds],
  ].flatMap(([name, value]) => (value === null ? [] : [`${name}: ${oneLine(String(value))}\r\n`]));
  return Buffer.from(`${START}${httpStatus}\r\n${headers.join('')}\r\n`, 'latin1');
}

/**
 * Separates the head from the body. An incomplete head, left by a process that died while writing
 * it, is read as the body of a 200 response, which cannot be parsed.
 */
export async function readHead(source: AsyncIterable<Buffer>): Promise<{
  head: AnswerHead;
  body: AsyncGenerator<Buffer, void>;
}> {
  const chunks = source[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  let next = await chunks.next();
  for (; next.done !== true; next = await chunks.next()) {
    start = Buffer.concat([start, next.value]);
    const isHead = start.toString('latin1', 0, START.length) === START;
    const isLong = start.length >= MAX_HEAD_BYTES;
    if (isLong || start.includes(END) || (start.length >= START.length && !isHead)) break;
  }
  const end = start.subarray(0, MAX_HEAD_BYTES).indexOf(END);
  const hasHead = end !== -1 && start.toString('latin1', 0, START.length) === START;
  const lines = hasHead ? start.toString('latin1', START.length, end).split('\r\n') : ['200'];
  return { head: parseHead(lines), body: rest(start.subarray(hasHead ? end + END.length : 0)) };

  async function* rest(first: Buffer): AsyncGenerator<Buffer, void> {
    try {
      if (first.length > 0) yield first;
      for (let chunk = await chunks.next(); chunk.done !== true; chunk = await chunks.next()) {
        yield chunk.value;
      }
    } finally {
      await chunks.return?.();
    }
  }
}

function parseHead([status = '', ...lines]: readonly string[]): AnswerHead {
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  const retryAfter = headers.get('retry-after');
  return {
    httpStatus: Number.parseInt(status, 10) || 200,
    upstreamRequestId: headers.get('x-request-id') ?? null,
    retryAfterSeconds: retryAfter === undefined ? null : Number(retryAfter),
  };
}

const oneLine = (value: string) => value.replaceAll(/[\r\n]/g, ' ');
