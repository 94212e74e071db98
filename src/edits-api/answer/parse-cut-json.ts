/** A position where a document may end: only its open brackets are incomplete. */
interface Place {
  readonly end: number;
  readonly open: readonly Bracket[];
}

interface Bracket {
  readonly closer: '}' | ']';
  /** The key of its value; '' in a list and at the root. */
  readonly key: string;
}

/**
 * The complete members and elements of a JSON document that was cut. A number at the cut is
 * incomplete, as digits may be missing. Null if nothing is complete.
 */
export function parseCutJson(text: string): {
  readonly value: unknown;
  /** Brackets of the open objects and lists. */
  readonly cutKeys: readonly string[];
} | null {
  const place = lastPlace(text);
  if (place === null) return null;
  const closers = place.open.map(({ closer }) => closer).toReversed();
  try {
    const value: unknown = JSON.parse(text.slice(0, place.end) + closers.join(''));
    return { value, cutKeys: place.open.map(({ key }) => key) };
  } catch {
    return null;
  }
}

function lastPlace(text: string): Place | null {
  const open: Bracket[] = [];
  const places: Place[] = [];
  const mark = (end: number) => {
    places[0] = { end, open: [...open] };
  };
  let isKeyNext = false;
  let key = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      if (end === -1) break;
      if (isKeyNext) key = text.slice(at + 1, end);
      else mark(end + 1);
      at = end;
    } else if (char === '{' || char === '[') {
      open.push({ closer: char === '{' ? '}' : ']', key });
      isKeyNext = char === '{';
      key = '';
      mark(at + 1);
    } else if (char === '}' || char === ']') {
      if (open.pop()?.closer !== char) break;
      isKeyNext = false;
      mark(at + 1);
      if (open.length === 0) break;
    } else if (char === ':') {
      isKeyNext = false;
    } else if (char === ',') {
      mark(at);
      isKeyNext = open.at(-1)?.closer === '}';
      key = '';
    }
  }
  return places[0] ?? null;
}

/** Position of the closing quote, or -1. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return -1;
}
