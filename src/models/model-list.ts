import { snapshotOf } from './model.ts';

/** A model in an upstream's list. */
export interface ListedModel {
  readonly id: string;
  /** Unix seconds. Null: the list does not say. */
  readonly created: number | null;
  readonly ownedBy: string | null;
  /** Date on which the upstream shuts it down, as YYYY-MM-DD. Null: the list names none. */
  readonly shutdownDate: string | null;
}

/** The models that an upstream says it has. */
export interface ModelList {
  get(id: string): ListedModel | null;
  /** The dated snapshots of a model. */
  snapshotsOf(id: string): readonly ListedModel[];
}

/** Of several entries with the same id, the first counts. */
export function createModelList(models: readonly ListedModel[]): ModelList {
  const byId = new Map(models.toReversed().map((model) => [model.id, model]));
  const snapshots = Map.groupBy(byId.values(), ({ id }) => snapshotOf(id));
  return {
    get: (id) => byId.get(id) ?? null,
    snapshotsOf: (id) => snapshots.get(id) ?? [],
  };
}

/** The lists that are known now. */
export interface KnownLists {
  /** By the name of the upstream. One that is missing is not known. */
  current(): ReadonlyMap<string, ModelList>;
}
