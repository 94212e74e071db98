/** What the service has promised, and so must keep. */
export interface Ledger {
  /** Ids of edits that were acknowledged, by their prompts; null: a client without ids sent it. */
  readonly edits: Map<string, string | null>;
  /** When each was, in milliseconds of `performance.now()`. */
  readonly acknowledgedMs: Map<string, number>;
  /** Ids of edits that were deleted. */
  readonly deleted: Set<string>;
  /** SHA-256 of images that were uploaded and that no edit uses, by their ids. */
  readonly uploads: Map<string, string>;
  /** Ids of images that edits may use. */
  readonly usable: string[];
  /** Ids of images that were not found, because their edit was deleted. */
  readonly gone: Set<string>;
  /** A prompt that no other edit has. */
  newPrompt(): string;
}

const SUBJECTS = ['秋天的山', 'a red chair', 'Brücke im Regen', 'lune d’été', 'ein Haus am See'];

export function createLedger(random: () => number): Ledger {
  let prompts = 0;
  return {
    edits: new Map(),
    acknowledgedMs: new Map(),
    deleted: new Set(),
    uploads: new Map(),
    usable: [],
    gone: new Set(),
    newPrompt() {
      prompts += 1;
      return `${SUBJECTS[Math.floor(random() * SUBJECTS.length)]}, number ${prompts}`;
    },
  };
}
