import { z } from 'zod';
import { InvalidInputError } from '../errors.ts';
import { CATALOGUE } from '../models/catalogue.ts';

/** As the official API lists it. Not `strict`: compatible servers have more fields. */
const modelSchema = z.looseObject({
  id: z.string().min(1),
  created: z.unknown().optional(),
  owned_by: z.unknown().optional(),
  shutdown_date: z.unknown().optional(),
});

/** A model in the list, with any fields but `id` as a server might send them. */
export type ListedSandboxModel = z.output<typeof modelSchema>;

/** When the sandbox says that its models were made, in Unix seconds. */
const CREATED = 1_764_547_200;

/** What `GET /v1/models` lists. It has no effect on edits: the sandbox accepts any model. */
export interface SandboxModels {
  list(): readonly object[];
  get(id: string): object | null;
  /** Lists these instead. @throws InvalidInputError */
  set(models: unknown): void;
  /** Lists what it listed at first. */
  reset(): void;
}

export function createSandboxModels(
  initial: readonly ListedSandboxModel[] = catalogueModels(),
): SandboxModels {
  let models = initial;
  return {
    list: () => models,
    get: (id) => models.find((model) => model.id === id) ?? null,
    set(given) {
      const parsed = z.array(modelSchema).safeParse(given);
      if (!parsed.success) {
        const path = ['models', ...(parsed.error.issues[0]?.path ?? [])].join('.');
        throw new InvalidInputError(
          path,
          'INVALID_VALUE',
          `${path} must have the shape of a model.`,
        );
      }
      models = parsed.data.map((model) => ({ object: 'model', ...model }));
    },
    reset() {
      models = initial;
    },
  };
}

function catalogueModels(): readonly ListedSandboxModel[] {
  return [...CATALOGUE.values()].map(({ id, shutdownDate }) => ({
    id,
    object: 'model',
    created: CREATED,
    owned_by: 'system',
    ...(shutdownDate !== null && { shutdown_date: shutdownDate }),
  }));
}
