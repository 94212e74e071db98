/** A string, or text outside of strings that is not JSON. */
const TOKEN = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\b(?:NaN|Infinity)\b|,(?=\s*[}\]])/g;

/**
 * Parses JSON with common mistakes: NaN and Infinity (Python), which become null, trailing commas,
 * and control characters in strings, which become spaces. Undefined for anything else.
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
