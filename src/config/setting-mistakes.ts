/** Common mistakes in settings, each with its remedy. Messages never contain a secret. */

/** The problem of a key that is sent as `Authorization: Bearer <key>`, or null. */
export function secretProblem(value: string): string | null {
  const trimmed = value.trim();
  if (/^(authorization:\s*)?bearer\s/i.test(trimmed)) {
    return 'must not begin with "Bearer": set only the key';
  }
  if (/^(["'`“‘]).*["'`”’]$/s.test(trimmed)) return 'is in quotation marks: remove them';
  if (trimmed !== value) return 'must not begin or end with white space';
  if (/[\r\n]/.test(value)) return 'must not contain a line break';
  if (/\s/.test(value)) return 'must not contain spaces';
  if (/[^\x21-\x7e]/.test(value)) {
    return 'must contain only printable ASCII characters: copy the key again';
  }
  return null;
}

/** Paths that users wrongly append to a base URL. */
const ENDPOINT =
  /\/(images\/(edits|generations|variations)|chat\/completions|responses|models)\/*$/;

/** The problem of an upstream's base URL, or null. */
export function editsApiUrlProblem(value: string): string | null {
  const url = parseWebUrl(value);
  if (url === null) return 'must be an http:// or https:// URL such as https://api.openai.com/v1';
  if (url.username !== '' || url.password !== '') {
    return 'must not contain a user name or password: set EDITS_API_KEY instead';
  }
  if (url.hash !== '') return 'must not contain a #fragment';
  const [endpoint] = ENDPOINT.exec(url.pathname) ?? [];
  if (endpoint === undefined) return null;
  return `must be the base URL, which usually ends in /v1: leave out ${endpoint}`;
}

/**
 * A hint for a base URL that may be incomplete, or null: it has a version, or names an Azure
 * resource.
 */
export function editsApiUrlHint(value: string): string | null {
  const { pathname, origin, search } = new URL(value);
  const hasVersion = /\/v\d[\w.]*(\/|$)/i.test(pathname);
  if (hasVersion || /\/openai\/deployments\//i.test(pathname) || /[?&]api-version=/.test(search)) {
    return null;
  }
  const base = `${origin}${pathname.replace(/\/+$/, '')}`;
  return `has no version, such as /v1, so edits are sent to ${base}/images/edits. If the server responds with 404, try ${base}/v1.`;
}

/**
 * The first segments of the service's own paths. A prefix must not begin with one, as paths would
 * be ambiguous.
 */
const OWN_SEGMENT = /^\/(graphql|graphiql|images|export|health|v1|schema\.graphql)(\/|$)/;

export function publicUrlProblem(value: string): string | null {
  const url = parseWebUrl(value);
  if (url === null) return 'must be an http:// or https:// URL such as https://example.com/retouch';
  if (`${url.search}${url.hash}${url.username}${url.password}` !== '') {
    return 'must not contain a user name, query or fragment';
  }
  const [, segment] = OWN_SEGMENT.exec(url.pathname) ?? [];
  return segment === undefined
    ? null
    : `must not have a path that begins with /${segment}, which the service itself uses`;
}

export function proxyUrlProblem(value: string): string | null {
  return parseWebUrl(value) === null
    ? 'must be an http:// or https:// URL such as http://proxy.example.com:3128'
    : null;
}

function parseWebUrl(value: string): URL | null {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}

const ESCAPES =
  'percent-encode special characters in the user name and password (@ is %40, / is %2F, # is %23, ? is %3F, % is %25)';

/**
 * The problem of a postgres:// URL, or null. Parts of the URL are secret, so the message has none.
 */
export function databaseUrlProblem(value: string): string | null {
  const [, rest] = /^postgres(?:ql)?:\/\/(.*)$/is.exec(value.trim()) ?? [];
  if (rest === undefined) return 'must be a postgres:// URL';
  const [, authority = '', tail = ''] = /^([^/?#]*)(.*)$/s.exec(rest) ?? [];
  if (isCutShort(authority, tail)) return `seems to have an unescaped password: ${ESCAPES}`;
  if (/%(?![\da-f]{2})/i.test(rest)) return `contains a % that is not an escape: ${ESCAPES}`;
  if (URL.parse(value) === null) return `is not a valid URL: ${ESCAPES}`;
  return null;
}

/** Whether a character in the password ended the authority too early. */
function isCutShort(authority: string, tail: string): boolean {
  if (tail.includes('#')) return true;
  const [path = '', query = ''] = tail.split('?', 2);
  if (path.includes('@')) return true;
  const [before = '', after] = query.split(/@(.*)/s, 2);
  if (after === undefined) return false;
  // A parameter may contain an @, as in ?user=me@example; a host and a database after it may not.
  const isParameter = before.includes('=');
  return !isParameter || (path === '' && !authority.includes('@') && after.includes('/'));
}

/** Keys with a known prefix, tokens, long random text, and URLs with a password. */
const SECRETS = [
  /^(sk|pk|rk)[-_]|bearer\b|^eyJ/i,
  /^(?=.*\d)[\w+/=-]{20,}$/,
  /^[a-z][\w+.-]*:\/\/[^/]*@/i,
];

/** The value as shown behind its setting's name; empty if it may be a secret in the wrong place. */
export function shown(value: string): string {
  if (SECRETS.some((form) => form.test(value))) return '';
  return ` is ${JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)}`;
}

/** Known variables of others that resemble ours. */
const OTHERS = new Set(['FTP_PROXY', 'HOME']);

/**
 * Finds variables that are one or two letters off a setting, and no others, because the environment
 * is full of unrelated names.
 */
export function misspelledSettings(
  names: readonly string[],
  known: readonly string[],
): { readonly name: string; readonly meant: string }[] {
  return names.flatMap((name) => {
    const upper = name.toUpperCase();
    if (known.includes(name) || OTHERS.has(upper)) return [];
    const meant = known.find((one) => isMisspelled(upper, one, name));
    return meant === undefined ? [] : [{ name, meant }];
  });
}

/** Short names, such as PORT, resemble many words, so only one edit is allowed. */
function isMisspelled(upper: string, known: string, name: string): boolean {
  const isShort = known.length < 6;
  if (Math.abs(upper.length - known.length) > 2) return false;
  const edits = editDistance(upper, known);
  if (edits === 0) return !isShort && name !== known;
  return edits <= (isShort ? 1 : 2);
}

/** Counts insertions, deletions, substitutions and transpositions (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(
        Math.min(
          (last[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (last[j - 1] ?? 0) + cost,
          swapped ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
