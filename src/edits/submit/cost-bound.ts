import type { PrismaClient } from '../../database/database.ts';
import { InvalidInputError } from '../../errors.ts';
import { type ReservedBound, readRaises } from '../../limits/raised-bounds.ts';
import type { PlannedEdit } from '../../models/estimate.ts';
import type { EditModel } from '../../models/model.ts';
import type { Models } from '../../models/models.ts';
import type { PriceTable, PriceVersion } from '../../models/prices.ts';
import {
  type BoundTokens,
  boundBasis,
  boundTokens,
  costOfBound,
  raiseBound,
} from '../../models/token-bound.ts';

/** The most that an edit may use, by its model's bounds. Parameters left to the model are counted at their most expensive. */
export interface EditBound {
  /** Tokens, and the bound that they follow from. */
  readonly tokens: { readonly amount: bigint; readonly bound: ReservedBound } | InvalidInputError;
  readonly costMicroUsd: bigint | InvalidInputError;
}

/** An unknown amount is an error, not thrown: it names the field that makes it unknown, and what to do. */
export type CostBound = (model: string, planned: PlannedEdit) => Promise<EditBound>;

export function createCostBound(options: {
  prisma: Pick<PrismaClient, 'raisedBound'>;
  models: Models;
  prices: PriceTable;
}): CostBound {
  const { prisma, models, prices } = options;

  return async (id, planned) => {
    const model = models.get(id);
    const byRules = boundTokens(planned);
    const raisesOf = await readRaises(prisma);
    const raised = raiseBound(byRules, raisesOf(model));
    const version = prices.at(id, new Date());
    const isBound = isKnown(byRules) && isKnown(raised);
    const tokens = isBound
      ? {
          amount: BigInt(Object.values(raised).reduce((sum, count) => sum + count, 0)),
          bound: { model: model.family, basis: boundBasis(model.tokens), byRules, raised },
        }
      : withoutBound(model, planned);
    const costMicroUsd = version && costOfBound(raised, version);
    return { tokens, costMicroUsd: costMicroUsd ?? withoutCost(model, version, tokens) };
  };
}

type KnownTokens = { readonly [Kind in keyof BoundTokens]: number };

function isKnown(bound: BoundTokens): bound is KnownTokens {
  return Object.values(bound).every((tokens) => tokens !== null);
}

const entry = 'its entry in MODELS_FILE';

function problem(field: string, what: string, reason: string): InvalidInputError {
  return new InvalidInputError(
    field,
    'UNSUPPORTED_VALUE',
    `A limit is set, but the maximum ${what} of this edit is not known: ${reason}`,
  );
}

function withoutBound(
  { id, tokens }: EditModel,
  { quality, extremeSizes }: PlannedEdit,
): InvalidInputError {
  const unknown = (field: string, reason: string) => problem(field, 'number of tokens', reason);
  if (tokens.input === null || tokens.output === null) {
    const missing = tokens.input === null ? 'inputTokens' : 'outputTokens';
    return unknown(
      'model',
      `no bound of ${id} is known. Add ${missing} to ${entry}, or use another model.`,
    );
  }
  if (extremeSizes === null) {
    return unknown(
      'size',
      `${id} may choose any size. Give size as WIDTHxHEIGHT, or add sizes to ${entry}.`,
    );
  }
  return unknown(
    'quality',
    `no bound of ${id} at quality ${quality} is known. Add it to outputTokens of ${entry}, or use another quality.`,
  );
}

function withoutCost(
  { id }: EditModel,
  version: PriceVersion | null,
  tokens: EditBound['tokens'],
): InvalidInputError {
  if (version === null) {
    return problem(
      'model',
      'cost',
      `no price of ${id} is known. Add prices to ${entry}, or use another model.`,
    );
  }
  if (tokens instanceof InvalidInputError) return tokens;
  return problem(
    'model',
    'cost',
    `the price ${version.version} of ${id} lacks textInput, imageInput or imageOutput. Add it, or use another model.`,
  );
}
