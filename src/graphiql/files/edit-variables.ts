import { applyEdits, modify, type ParseError, parse } from 'jsonc-parser';
import { type Path, valueAt } from '../transport/multipart.ts';

const FORMAT = { formattingOptions: { tabSize: 2, insertSpaces: true } };

/** The variables as an object; null if their text is not one. */
export function parseVariables(text: string): Record<string, unknown> | null {
  if (text.trim() === '') return {};
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return errors.length === 0 && isObject ? (value as Record<string, unknown>) : null;
}

/**
 * The text with `value` at `path`, creating containers in place of null and other values.
 * Everything else stays, including comments.
 */
export function withValue(text: string, path: Path, value: unknown): string {
  const base = text.trim() === '' ? '{}' : text;
  const values = parseVariables(base) ?? undefined;
  const found = path.findIndex((key, index) =>
    isInTheWay(valueAt(values, path.slice(0, index)), key),
  );
  const end = found < 0 ? path.length : found;
  const made = path
    .slice(end)
    .reduceRight((inner, key) => (typeof key === 'number' ? [inner] : { [key]: inner }), value);
  return applyEdits(base, modify(base, path.slice(0, end), made, FORMAT));
}

function isInTheWay(holder: unknown, key: string | number): boolean {
  if (typeof holder !== 'object') return holder !== undefined;
  return holder === null || Array.isArray(holder) !== (typeof key === 'number');
}

/** The text without the value at `path`. */
export function withoutValue(text: string, path: Path): string {
  const isThere = valueAt(parseVariables(text), path) !== undefined;
  return isThere ? withValue(text, path, undefined) : text;
}

/** The text with another entry in the list at `path`, and its `index`. */
export function withEntry(text: string, path: Path, value: unknown) {
  const list = valueAt(parseVariables(text), path);
  if (!Array.isArray(list)) return { text: withValue(text, path, [value]), index: 0 };
  return { text: withValue(text, [...path, list.length], value), index: list.length };
}
