import type { Log } from '../log.ts';
import type { ModelStanding } from './model-standing.ts';
import type { Models } from './models.ts';

/** Logs which models have ended or soon will, so that nobody first learns it from a failed edit. */
export interface ModelNotes {
  /** Logs what has changed since the last time. */
  report(): void;
}

/**
 * The default model and those of ALLOWED_MODELS get a warning each, as a person has named them;
 * others share one line.
 */
export function createModelNotes({ models, log }: { models: Models; log: Log }): ModelNotes {
  let before: ReadonlySet<string> = new Set();
  return {
    report() {
      const { warnings, info } = notesOf(models);
      for (const note of warnings) if (!before.has(note)) log.warn(note);
      if (info !== null && !before.has(info)) log.info(info);
      before = new Set([...warnings, ...(info === null ? [] : [info])]);
    },
  };
}

/** Without models that stay. */
export function notesOf(models: Models): { warnings: readonly string[]; info: string | null } {
  const isNamed = (id: string) => models.allowed?.includes(id) === true;
  const warnings = [models.default, ...(models.allowed ?? []).filter((id) => id !== models.default)]
    .map((id) => (id === models.default ? defaultNote(models) : allowedNote(models, id)))
    .filter((note) => note !== null);
  const others = models
    .list()
    .filter(({ id }) => id !== models.default && !isNamed(id))
    .flatMap(({ id }) => {
      const end = endOf(models.standing(id));
      return end === null ? [] : `${id} ${end}`;
    });
  const info = others.length === 0 ? null : `other models that end: ${others.join('; ')}`;
  return { warnings, info };
}

function defaultNote(models: Models): string | null {
  const end = endOf(models.standing(models.default));
  if (end === null) return null;
  const other = replacementOf(models) ?? 'a model that an upstream lists';
  return `the default model ${models.default} ${end}: set DEFAULT_MODEL to ${other}`;
}

function allowedNote(models: Models, id: string): string | null {
  const end = endOf(models.standing(id));
  return end === null ? null : `the model ${id} of ALLOWED_MODELS ${end}`;
}

/** Null: it stays. */
function endOf({ state, isListed, shutdownDate }: ModelStanding): string | null {
  if (state === 'AVAILABLE') return null;
  if (state === 'ENDING') return `will be shut down on ${shutdownDate}`;
  return isListed === false
    ? 'is in no list of the upstreams that serve it'
    : `was shut down on ${shutdownDate}`;
}

/** A known model to use instead: one that is listed, else one of which no end is known. */
function replacementOf(models: Models): string | null {
  const lasting = models
    .list()
    .map(({ id }) => ({ id, ...models.standing(id) }))
    .filter(({ state }) => state === 'AVAILABLE');
  return (lasting.find(({ isListed }) => isListed) ?? lasting[0])?.id ?? null;
}
