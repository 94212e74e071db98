import type { PrismaClient } from '../../database/database.ts';
import { InvalidInputError } from '../../errors.ts';
import type { Reserved } from '../../limits/budgets.ts';
import { readRaises } from '../../limits/raised-bounds.ts';
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

/**
 * The most that an edit may cost, by its model's bounds: what is left to the model is counted at its
 * dearest. An error, returned and not thrown, when that is not known: it names the field that makes
 * it so, and what to do.
 */
export type CostBound = (
  model: string,
  planned: PlannedEdit,
) => Promise<Reserved | InvalidInputError>;

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
    const amountMicroUsd = version && costOfBound(raised, version);
    if (amountMicroUsd === null || !isKnown(byRules) || !isKnown(raised)) {
      return unbounded(model, planned, version);
    }
    const basis = boundBasis(model.tokens);
    return { amountMicroUsd, bound: { model: model.family, basis, byRules, raised } };
  };
}

type KnownTokens = { readonly [Kind in keyof BoundTokens]: number };

function isKnown(bound: BoundTokens): bound is KnownTokens {
  return Object.values(bound).every((tokens) => tokens !== null);
}

function unbounded(
  { id, tokens }: EditModel,
  { quality, extremeSizes }: PlannedEdit,
  version: PriceVersion | null,
): InvalidInputError {
  const problem = (field: string, reason: string) =>
    new InvalidInputError(
      field,
      'UNSUPPORTED_VALUE',
      `A budget is set, but the maximum cost of this edit is not known: ${reason}`,
    );
  const entry = 'its entry in MODELS_FILE';
  if (version === null) {
    return problem(
      'model',
      `no price of ${id} is known. Add prices to ${entry}, or use another model.`,
    );
  }
  if (tokens.input === null || tokens.output === null) {
    const missing = tokens.input === null ? 'inputTokens' : 'outputTokens';
    return problem(
      'model',
      `no bound of ${id} is known. Add ${missing} to ${entry}, or use another model.`,
    );
  }
  if (extremeSizes === null) {
    return problem(
      'size',
      `${id} may choose any size. Give size as WIDTHxHEIGHT, or add sizes to ${entry}.`,
    );
  }
  const { textInput, imageInput, imageOutput } = version.prices;
  if (textInput === null || imageInput === null || imageOutput === null) {
    return problem(
      'model',
      `the price ${version.version} of ${id} lacks textInput, imageInput or imageOutput. Add it, or use another model.`,
    );
  }
  return problem(
    'quality',
    `no bound of ${id} at quality ${quality} is known. Add it to outputTokens of ${entry}, or use another quality.`,
  );
}
