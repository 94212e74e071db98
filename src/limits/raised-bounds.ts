import { z } from 'zod';
import type { Prisma, PrismaClient, Transaction } from '../database/database.ts';
import type { EditModel } from '../models/model.ts';
import type { RawUsage } from '../models/raw-usage.ts';
import {
  BOUND_KINDS,
  type BoundKind,
  boundBasis,
  NO_RAISES,
  type Raises,
  raiseFor,
} from '../models/token-bound.ts';

const count = z.number();
const tokens = z.object({ textInput: count, imageInput: count, output: count });

/** What a reservation was computed from, as its row stores it. */
const reservedBoundSchema = z.object({
  /** Id of the entry in the catalogue. */
  model: z.string(),
  /** Its rules: see boundBasis. */
  basis: z.string(),
  /** By the rules alone. */
  byRules: tokens,
  /** Including raises up to then. */
  raised: tokens,
});

export type ReservedBound = z.infer<typeof reservedBoundSchema>;

/** A kind of tokens of which an edit used more than it had reserved. */
export interface Overshoot {
  readonly model: string;
  readonly kind: BoundKind;
  readonly bound: number;
  readonly used: number;
}

/** Reads how much usage has raised the bounds of models so far, in all processes. */
export async function readRaises(
  prisma: Pick<PrismaClient, 'raisedBound'>,
): Promise<(model: Pick<EditModel, 'family' | 'tokens'>) => Raises> {
  // Few rows: some for each model that ever exceeded a bound.
  const rows = await prisma.raisedBound.findMany();
  return ({ family, tokens }) => {
    const basis = boundBasis(tokens);
    const own = rows.filter((row) => row.model === family && row.basis === basis);
    return { ...NO_RAISES, ...Object.fromEntries(own.map(({ kind, factor }) => [kind, factor])) };
  };
}

/**
 * Raises the bounds that an edit's usage exceeded, for reservations of all processes after the
 * commit. Bounds never fall, so the order in which edits end does not matter. Returns the exceeded
 * bounds. One statement, or none if usage is within its bounds.
 */
export async function raiseBounds(
  tx: Transaction,
  stored: Prisma.JsonValue,
  usage: RawUsage,
): Promise<readonly Overshoot[]> {
  const { model, basis, byRules, raised } = reservedBoundSchema.parse(stored);
  const used = usedTokens(usage);
  const above = BOUND_KINDS.filter((kind) => used[kind] > raised[kind]);
  if (above.length === 0) return [];
  const factors = above.map((kind) => raiseFor(kind, byRules[kind], used[kind]));
  await tx.$executeRaw`
    INSERT INTO "RaisedBound" (model, basis, kind, factor)
    SELECT ${model}, ${basis}, kind, factor
    FROM unnest(${above}::text[], ${factors}::float8[]) AS new (kind, factor)
    ON CONFLICT (model, basis, kind) DO UPDATE SET
      factor = greatest("RaisedBound".factor, excluded.factor), "raisedAt" = now()`;
  return above.map((kind) => ({ model, kind, bound: raised[kind], used: used[kind] }));
}

/** Input of unknown kind counts as images, which nearly all of it is. */
function usedTokens(usage: RawUsage): Readonly<Record<BoundKind, number>> {
  const textInput =
    usage.inputTextTokens ??
    (usage.inputImageTokens === null ? 0 : usage.inputTokens - usage.inputImageTokens);
  return { textInput, imageInput: usage.inputTokens - textInput, output: usage.outputTokens };
}
