import type { Client } from './client.ts';

const PAGE = /* GraphQL */ `
  query All($after: String) {
    editJobs(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      edges { node {
        id status source prompt { text } n
        inputImages { id url sha256 } partialImages { id url sha256 } outputImages { id url sha256 }
        attempts { number }
      } }
    }
  }
`;

export interface StoredImage {
  readonly id: string;
  readonly url: string;
  readonly sha256: string;
}

export interface StoredEdit {
  readonly id: string;
  readonly status: string;
  readonly n: number;
  readonly prompt: { readonly text: string };
  readonly inputImages: readonly StoredImage[];
  readonly partialImages: readonly StoredImage[];
  readonly outputImages: readonly StoredImage[];
  readonly attempts: readonly object[];
}

/** Every edit that is not deleted. */
export async function readHistory(client: Client): Promise<StoredEdit[]> {
  const edits: StoredEdit[] = [];
  for (let after: string | null = null; ; ) {
    const data = await client.query(PAGE, { after });
    const { edges, pageInfo } = data.editJobs;
    edits.push(...edges.map(({ node }: { node: StoredEdit }) => node));
    if (!pageInfo.hasNextPage) return edits;
    after = pageInfo.endCursor;
  }
}

/** Ids of images that are not there, or not as their hash says. */
export async function brokenImages(
  client: Client,
  edits: readonly StoredEdit[],
): Promise<{ checked: number; broken: string[] }> {
  const images = new Map<string, StoredImage>();
  for (const { inputImages, partialImages, outputImages } of edits) {
    for (const image of [...inputImages, ...partialImages, ...outputImages]) {
      images.set(image.id, image);
    }
  }
  const broken: string[] = [];
  for (const { id, url, sha256 } of images.values()) {
    const answer = await client.send(new URL(url).pathname);
    if (answer.status !== 200 || answer.sha256 !== sha256) broken.push(id);
  }
  return { checked: images.size, broken };
}

const OPEN = '{ editJobs(filter: { status: [QUEUED, RUNNING] }) { totalCount } }';

export async function openEdits(client: Client): Promise<number> {
  return (await client.query(OPEN)).editJobs.totalCount;
}

const USAGE =
  'query($from: DateTime!, $to: DateTime!) { usage(from: $from, to: $to) { totals { edits totalTokens images } } }';
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Of all edits, deleted ones too. */
export async function readUsage(
  client: Client,
): Promise<{ edits: number; totalTokens: number; images: number }> {
  const [from, to] = [-DAY_MS, DAY_MS].map((ms) => new Date(Date.now() + ms).toISOString());
  return (await client.query(USAGE, { from, to })).usage.totals;
}
