import { isModelName } from '../../models/model.ts';
import type { ListedModel } from '../../models/model-list.ts';
import { parseLooseJson } from '../answer/parse-loose-json.ts';

/** More are omitted. The longest lists of relays have some hundreds. */
const MAX_MODELS = 5_000;
const MAX_OWNER_LENGTH = 100;

/** Later values are milliseconds, which some servers send. */
const MAX_UNIX_SECONDS = 100_000_000_000;

/**
 * The models of a response to `GET /models`: `{ "data": [{ "id", "created", "owned_by",
 * "shutdown_date" }] }`, or a bare array, or names in place of objects. Only `id` is required.
 * Entries that no edit could name are omitted, and so is every text that `redact` would change,
 * since clients see this. Null: the response names no model.
 */
export function parseModelList(
  text: string,
  redact: (text: string) => string,
): readonly ListedModel[] | null {
  const body = parseLooseJson(text.replace(/^\ufeff/, ''));
  const data = Array.isArray(body) ? body : fieldOf(body, 'data');
  if (!Array.isArray(data)) return null;
  const isShown = (value: unknown): value is string =>
    typeof value === 'string' && redact(value) === value;
  const models = new Map<string, ListedModel>();
  for (const entry of data) {
    const id = typeof entry === 'string' ? entry : fieldOf(entry, 'id');
    if (typeof id !== 'string' || !isModelName(id) || models.has(id) || !isShown(id)) continue;
    const owner = fieldOf(entry, 'owned_by');
    models.set(id, {
      id,
      created: unixSeconds(fieldOf(entry, 'created')),
      ownedBy: isShown(owner) && owner !== '' ? owner.slice(0, MAX_OWNER_LENGTH) : null,
      shutdownDate: dateOf(fieldOf(entry, 'shutdown_date')),
    });
    if (models.size === MAX_MODELS) break;
  }
  return models.size === 0 ? null : [...models.values()];
}

/** A property of an untrusted object's own. */
function fieldOf(object: unknown, key: string): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, key))
    return undefined;
  return (object as Record<string, unknown>)[key];
}

function unixSeconds(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return null;
  const seconds = value > MAX_UNIX_SECONDS ? value / 1_000 : value;
  return seconds > MAX_UNIX_SECONDS ? null : Math.floor(seconds);
}

/** YYYY-MM-DD of a date, of a date with a time, or of Unix seconds; in UTC. Null: none of these. */
function dateOf(value: unknown): string | null {
  if (typeof value === 'string' && !/^\d{4,}-/.test(value)) {
    return /^\d{1,15}$/.test(value) ? dateOf(Number(value)) : null;
  }
  const seconds = typeof value === 'string' ? Date.parse(value) / 1_000 : unixSeconds(value);
  if (seconds === null || Number.isNaN(seconds)) return null;
  const date = new Date(seconds * 1_000).toISOString();
  // Years of more than four digits, and of before the edits API.
  return /^2\d{3}-/.test(date) ? date.slice(0, 10) : null;
}
