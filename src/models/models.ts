import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { CATALOGUE } from './catalogue.ts';
import { type EditModel, includesModel } from './model.ts';
import {
  addEntries,
  type Catalogue,
  entriesSchema,
  findModel,
  UnknownBaseError,
  unknownModel,
  withPrices,
} from './model-entry.ts';
import { createStandings, type ModelStanding, type Standings } from './model-standing.ts';
import { type Prices, readPricesFile } from './prices.ts';

/** The models that this server knows, whether or not edits may use them. */
export interface KnownModels {
  readonly all: Catalogue;
  /** What is known about a model; an unknown one gets the limits for any model. */
  get(id: string): EditModel;
}

export interface Models extends Pick<KnownModels, 'get'> {
  /** Model of an edit that does not name one. */
  readonly default: string;
  /** Null if any model may be used. */
  readonly allowed: readonly string[] | null;
  isAllowed(id: string): boolean;
  /** Known models that may be used; only those dated snapshots that are named somewhere. */
  list(): readonly EditModel[];
  /** What the upstreams' lists and the catalogue say about its end. */
  standing(id: string): ModelStanding;
  /** Ids of its dated snapshots in the lists of the upstreams that serve it. */
  listedSnapshots(id: string): readonly string[];
}

/** @param prices Replace the models' own prices: see PRICES_FILE. */
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
  /** A model that is allowed includes its dated snapshots. */
  allowed: readonly string[] | null;
  /** @default no list is known */
  standings?: Standings;
}): Models {
  const { known, allowed, standings = createStandings() } = options;
  const isAllowed = (id: string) => allowed === null || includesModel(allowed, id);
  return {
    default: options.default,
    allowed,
    isAllowed,
    get: known.get,
    list() {
      const ids = new Set([...known.all.keys(), ...(allowed ?? [])].filter(isAllowed));
      return [...ids].map(known.get).filter((model) => model.known);
    },
    standing: (id) => standings.of(known.get(id)),
    listedSnapshots: standings.listedSnapshots,
  };
}

/** The models that both the server and a viewer's credential allow. @param allowed Null: any. */
export function restrictModels(models: Models, allowed: readonly string[] | null): Models {
  if (allowed === null) return models;
  const isAllowed = (id: string) => models.isAllowed(id) && includesModel(allowed, id);
  return {
    ...models,
    allowed: allowed.filter(models.isAllowed),
    isAllowed,
    list: () => models.list().filter(({ id }) => isAllowed(id)),
  };
}

/**
 * Reads the files that the settings name, if they name any.
 * @throws ConfigError if one cannot be read or is invalid.
 */
export async function readConfiguredModels(settings: {
  readonly models: { readonly file: string | null };
  readonly prices: { readonly file: string | null };
}): Promise<KnownModels> {
  const { models, prices } = settings;
  return readKnownModels(
    models.file,
    prices.file === null ? {} : await readPricesFile(prices.file),
  );
}

/**
 * Reads MODELS_FILE: an array of models, each with what differs from the model in `like`.
 * @throws ConfigError if the file cannot be read or is invalid.
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
