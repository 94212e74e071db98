import { type EditModel, includesModel } from './model.ts';
import type { KnownLists, ListedModel, ModelList } from './model-list.ts';

/** From so many days before its end on, a model is ENDING. */
const ENDING_DAYS = 60;

const DAY_MS = 24 * 60 * 60 * 1_000;

export type ModelState = 'AVAILABLE' | 'ENDING' | 'RETIRED';

/** What is known about the end of a model. No edit is rejected because of it. */
export interface ModelStanding {
  /** As YYYY-MM-DD: what the upstreams' lists say, else when OpenAI shuts it down. */
  readonly shutdownDate: string | null;
  /** Whether an upstream lists it, or a dated snapshot of it. Null: not known. */
  readonly isListed: boolean | null;
  readonly state: ModelState;
  /** Its own entry in the list of the first upstream that has one. */
  readonly listing: ListedModel | null;
}

/** An upstream, as far as the end of a model depends on it. */
export interface ListingUpstream {
  readonly name: string;
  /** The models that it serves; null for any. */
  readonly models: readonly string[] | null;
  /** Whether it is OpenAI, so that it follows the catalogue's dates. Other servers keep models. */
  readonly isOpenAi: boolean;
}

export interface Standings {
  of(model: EditModel): ModelStanding;
  /** Ids of the dated snapshots of a model in the lists of the upstreams that serve it. */
  listedSnapshots(id: string): readonly string[];
}

/** The end of a model at one upstream, as YYYY-MM-DD. GONE: its list has the model no more. */
type End = string | 'GONE' | null;

/**
 * A model ends when all upstreams that serve it have ended it; without such an upstream, nothing is
 * known.
 * @param options.upstreams By priority.
 */
export function createStandings(
  options: { upstreams?: readonly ListingUpstream[]; lists?: KnownLists; now?: () => Date } = {},
): Standings {
  const { upstreams = [], lists, now = () => new Date() } = options;
  const serving = (id: string) => {
    const known = lists?.current();
    return upstreams
      .filter(({ models }) => models === null || includesModel(models, id))
      .map(({ name, isOpenAi }) => ({ isOpenAi, list: known?.get(name) ?? null }));
  };
  return {
    of(model) {
      const found = serving(model.id).map(({ isOpenAi, list }) => ({
        list,
        entries: list === null ? [] : entriesOf(list, model.id),
        ownDate: isOpenAi ? model.shutdownDate : null,
      }));
      const ends = found.map(({ list, entries, ownDate }): End => {
        if (list !== null && entries.length === 0) return 'GONE';
        return latest(entries) ?? ownDate;
      });
      const listed = found.flatMap(({ entries }) => entries);
      const dates = listed.flatMap(({ shutdownDate }) => shutdownDate ?? []).toSorted();
      const isUnlisted = found.length > 0 && ends.every((end) => end === 'GONE');
      return {
        shutdownDate: dates.at(-1) ?? model.shutdownDate,
        isListed: listed.length > 0 || (isUnlisted ? false : null),
        state: stateOf(ends, now()),
        listing: listed.find(({ id }) => id === model.id) ?? null,
      };
    },
    listedSnapshots(id) {
      const all = serving(id).flatMap(({ list }) => list?.snapshotsOf(id) ?? []);
      return [...new Set(all.map((snapshot) => snapshot.id))];
    },
  };
}

/** The model's own entry; without one, those of its snapshots. */
function entriesOf(list: ModelList, id: string): readonly ListedModel[] {
  const own = list.get(id);
  return own === null ? list.snapshotsOf(id) : [own];
}

/** Null: one of them has no end. */
function latest(entries: readonly ListedModel[]): string | null {
  const dates = entries.map(({ shutdownDate }) => shutdownDate);
  return dates.includes(null) ? null : (dates.toSorted().at(-1) ?? null);
}

function stateOf(ends: readonly End[], now: Date): ModelState {
  if (ends.length === 0 || ends.includes(null)) return 'AVAILABLE';
  const last = ends
    .flatMap((end) => (end === 'GONE' || end === null ? [] : end))
    .toSorted()
    .at(-1);
  // It may be up until the last minute of its last day.
  if (last === undefined || last < dayOf(now)) return 'RETIRED';
  return last <= dayOf(new Date(now.getTime() + ENDING_DAYS * DAY_MS)) ? 'ENDING' : 'AVAILABLE';
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
