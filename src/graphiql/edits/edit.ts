/** An image in the gallery. */
export interface EditImage {
  readonly id: string;
  readonly url: string;
  readonly thumbnailUrl: string;
  readonly width: number;
  readonly height: number;
}

export type EditStatus =
  | 'QUEUED'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'OUTCOME_UNKNOWN'
  | 'CANCELED';

/** An edit in the gallery. */
export interface Edit {
  readonly id: string;
  readonly status: EditStatus;
  /** The API that submitted it. */
  readonly source: 'GRAPHQL' | 'OPENAI_API';
  readonly model: string;
  readonly resolvedSize: string;
  readonly sandbox: boolean;
  readonly createdAt: string;
  readonly durationMs: number | null;
  readonly prompt: { readonly text: string };
  readonly inputImages: readonly EditImage[];
  readonly mask: EditImage | null;
  readonly partialImages: readonly EditImage[];
  readonly outputImages: readonly EditImage[];
  readonly usage: { readonly totalTokens: number } | null;
  /** US dollars, exact. Nominal if nobody paid it. Null if unknown. */
  readonly cost: { readonly amount: string; readonly nominal: boolean } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Whether it may have been billed without a result. */
  readonly costUnresolved: boolean;
  /** Whether `rereadAnswer` can read its response again. */
  readonly hasStoredAnswer: boolean;
  readonly nextAttemptAt: string | null;
  readonly attempts: readonly {
    readonly number: number;
    readonly errorCode: string | null;
    readonly errorMessage: string | null;
  }[];
}

export interface EditPage {
  readonly editJobs: {
    readonly nodes: readonly Edit[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

export interface EditsById {
  readonly nodes: readonly (Edit | null)[];
}

/** An event of an edit, with its current state; without it if the edit was deleted. */
export interface EditNews {
  readonly editJobId: string;
  readonly editJob?: Edit | null;
}

const EDIT = `fragment Edit on EditJob {
  id status source model resolvedSize sandbox createdAt durationMs
  prompt { text }
  inputImages { ...EditImage }
  mask { ...EditImage }
  partialImages { ...EditImage }
  outputImages { ...EditImage }
  usage { totalTokens }
  cost { amount nominal }
  error { code message }
  costUnresolved hasStoredAnswer nextAttemptAt
  attempts { number errorCode errorMessage }
}
fragment EditImage on Image { id url thumbnailUrl(width: 512) width height }`;

export const EDITS_QUERY = `query RecentEdits($after: String) {
  editJobs(first: 24, after: $after) {
    nodes { ...Edit }
    pageInfo { hasNextPage endCursor }
  }
}
${EDIT}`;

export const EDITS_BY_ID_QUERY = `query EditsById($ids: [ID!]!) {
  nodes(ids: $ids) { ...Edit }
}
${EDIT}`;

export const EDITS_SUBSCRIPTION = `subscription EditNews {
  editJobs { editJobId ... on EditJobUpdate { editJob { ...Edit } } }
}
${EDIT}`;

export function isFinal({ status }: Edit): boolean {
  return status !== 'QUEUED' && status !== 'RUNNING';
}

/** The image to show: the result, or else the newest partial image. */
export function newestImage(edit: Edit): EditImage | null {
  return edit.outputImages[0] ?? edit.partialImages.at(-1) ?? null;
}

/** Applies an event to the edits, newest first. */
export function withNews(edits: readonly Edit[], { editJobId, editJob }: EditNews) {
  if (!editJob) return edits.filter(({ id }) => id !== editJobId);
  const index = edits.findIndex(({ id }) => id === editJobId);
  if (index >= 0) return edits.with(index, editJob);
  // It may be older than the others if it was queued.
  const older = edits.findIndex((edit) => isNewer(editJob, edit));
  return edits.toSpliced(older < 0 ? edits.length : older, 0, editJob);
}

/** Adds an earlier page to the edits, newest first; events take precedence. */
export function withEarlier(edits: readonly Edit[], earlier: readonly Edit[]): readonly Edit[] {
  const known = new Set(edits.map(({ id }) => id));
  return earlier
    .filter(({ id }) => !known.has(id))
    .reduce((all, editJob) => withNews(all, { editJobId: editJob.id, editJob }), edits);
}

function isNewer(one: Edit, other: Edit): boolean {
  return Date.parse(one.createdAt) > Date.parse(other.createdAt);
}
