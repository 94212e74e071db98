/** A string, or what stands outside of strings and is not JSON. */
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\b(?:NaN|Infinity)\b|,(?=\s*[}\]])/g;

/**
 * Parses what some writers take for JSON: with NaN and Infinity (Python), which become null, a comma
 * behind the last element, or control characters in strings, which become blanks. Undefined for
 * anything else.
 */
export function parseLooseJson(text: string): unknown {
  const repaired = text.replaceAll(TOKEN, (token) => {
    if (token === ',') return '';
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON forbids.
    return token.startsWith('"') ? token.replaceAll(/[\u0000-\u001f]/g, ' ') : 'null';
  });
  try {
    return JSON.parse(repaired);
  } catch {
    return undefined;
  }
}
