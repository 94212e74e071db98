import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { CATALOGUE } from './catalogue.ts';
import type { EditModel } from './model.ts';
import { snapshotOf } from './model.ts';
import {
  addEntries,
  type Catalogue,
  entriesSchema,
  findModel,
  UnknownBaseError,
  unknownModel,
  withPrices,
} from './model-entry.ts';
import type { Prices } from './prices.ts';

/** The models that this server knows, whether or not they may be asked for. */
export interface KnownModels {
  readonly all: Catalogue;
  /** What is known of a model; an unknown one gets the limits that hold for any. */
  get(id: string): EditModel;
}

export interface Models extends Pick<KnownModels, 'get'> {
  /** Of an edit that names none. */
  readonly default: string;
  /** Null: any model may be asked for. */
  readonly allowed: readonly string[] | null;
  isAllowed(id: string): boolean;
  /** Known models that may be asked for; of dated snapshots only those that are named somewhere. */
  list(): readonly EditModel[];
}

/** @param prices Take the place of a model's own: see PRICES_FILE. */
export function createKnownModels(
  entries: z.output<typeof entriesSchema> = [],
  prices: Prices = {},
): KnownModels {
  const all = addEntries(CATALOGUE, entries, prices);
  return {
    all,
    get(id) {
      const model = findModel(all, id);
      return model === null ? unknownModel(id, prices) : withPrices(model, prices);
    },
  };
}

export function createModels(options: {
  known: KnownModels;
  default: string;
  /** A model that is allowed is so under the names of its dated snapshots, too. */
  allowed: readonly string[] | null;
}): Models {
  const { known, allowed } = options;
  const isAllowed = (id: string) =>
    allowed === null || allowed.includes(id) || allowed.includes(snapshotOf(id) ?? id);
  return {
    default: options.default,
    allowed,
    isAllowed,
    get: known.get,
    list() {
      const ids = new Set([...known.all.keys(), ...(allowed ?? [])].filter(isAllowed));
      return [...ids].map(known.get).filter((model) => model.known);
    },
  };
}

/**
 * Reads MODELS_FILE: an array of models, each naming what differs from the model it is `like`.
 * @throws ConfigError when the file cannot be read or has another shape.
 */
export async function readKnownModels(path: string | null, prices: Prices): Promise<KnownModels> {
  if (path === null) return createKnownModels([], prices);
  try {
    const entries = entriesSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return createKnownModels(entries, prices);
  } catch (error) {
    const reason =
      error instanceof z.ZodError
        ? z.prettifyError(error)
        : error instanceof UnknownBaseError
          ? error.message
          : String(error);
    throw new ConfigError([`MODELS_FILE ${JSON.stringify(path)}: ${reason}`]);
  }
}
