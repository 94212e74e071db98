/** `bytes` are valid until the next step. */
export type EventStreamPart =
  | { readonly kind: 'data'; readonly bytes: Buffer }
  /** A blank line: the event is complete. `name` is that of its `event:` line, or ''. */
  | { readonly kind: 'end'; readonly name: string };

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;
/** Limit of field and event names; longer ones are irrelevant. */
const MAX_NAME_BYTES = 128;
const LINE_BREAK = Buffer.of(LF);

/**
 * Parses server-sent events in chunks of any size. Yields data as it arrives, and joins several
 * `data:` lines by a line break. Skips comments and other fields of any length.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
export function createEventStreamScanner(): {
  scan(chunk: Buffer): Generator<EventStreamPart, void>;
  /** Name from the `event:` line of the open event, or ''. */
  readonly name: string;
} {
  let state: 'name' | 'space' | 'value' = 'name';
  let field = '';
  let eventName = '';
  let hasData = false;
  let afterCr = false;

  /** Call after the colon, or at the end of a line without one. */
  function* startValue(): Generator<EventStreamPart, void> {
    if (field === 'event') eventName = '';
    if (field !== 'data') return;
    if (hasData) yield { kind: 'data', bytes: LINE_BREAK };
    hasData = true;
  }

  function* value(bytes: Buffer): Generator<EventStreamPart, void> {
    if (bytes.length === 0) return;
    if (field === 'data') yield { kind: 'data', bytes };
    if (field === 'event') eventName = append(eventName, bytes);
  }

  function* endLine(): Generator<EventStreamPart, void> {
    if (state === 'name' && field === '') {
      if (hasData) yield { kind: 'end', name: eventName };
      eventName = '';
      hasData = false;
    } else if (state === 'name') yield* startValue();
    state = 'name';
    field = '';
  }

  return {
    *scan(chunk) {
      let at = 0;
      let lfAt = -1;
      let crAt = -1;
      while (at < chunk.length) {
        if (afterCr && chunk[at] === LF) at += 1;
        afterCr = false;
        if (at === chunk.length) return;
        if (state === 'space') {
          if (chunk[at] === SPACE) at += 1;
          state = 'value';
          continue;
        }
        // A long data line spans many chunks; each is searched once per kind of line end.
        if (lfAt < at) lfAt = indexOrLength(chunk, LF, at);
        if (crAt < at) crAt = indexOrLength(chunk, CR, at);
        const lineEnd = Math.min(lfAt, crAt);
        if (state === 'name') {
          const colon = indexOrLength(chunk.subarray(0, lineEnd), COLON, at);
          field = append(field, chunk.subarray(at, colon));
          at = colon;
          if (colon < lineEnd) {
            at += 1;
            // A line that begins with a colon is a comment.
            if (field === '') field = ':';
            yield* startValue();
            state = 'space';
            continue;
          }
        } else {
          yield* value(chunk.subarray(at, lineEnd));
          at = lineEnd;
        }
        if (at === chunk.length) return;
        afterCr = chunk[at] === CR;
        at += 1;
        yield* endLine();
      }
    },
    get name() {
      return eventName;
    },
  };
}

function append(name: string, bytes: Buffer): string {
  const room = MAX_NAME_BYTES - name.length;
  return name + bytes.toString('latin1', 0, Math.min(room, bytes.length));
}

function indexOrLength(bytes: Buffer, byte: number, start: number): number {
  const found = bytes.indexOf(byte, start);
  return found === -1 ? bytes.length : found;
}
