import { pick, type Role, type Stage, type Turn } from './actors.ts';

const PAGE = /* GraphQL */ `
  query Page($after: String, $search: String, $filter: EditJobFilter) {
    editJobs(first: 20, after: $after, search: $search, filter: $filter) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges { node {
        id status prompt { text } inputImages { id url } outputImages { id url thumbnailUrl }
        usage { totalTokens } cost { amount } attempts { number state }
      } }
    }
  }
`;
const PROMPTS =
  'query Prompts($search: String) { prompts(first: 20, search: $search) { totalCount edges { node { text } } } }';
const USAGE = /* GraphQL */ `
  query Usage($from: DateTime!, $to: DateTime!, $groupBy: [UsageGroup!]) {
    usage(from: $from, to: $to, groupBy: $groupBy) {
      totals { edits totalTokens cost } buckets { totals { edits } }
    }
  }
`;
const LINEAGE = 'query Lineage($id: ID!) { lineage(id: $id) { __typename } }';
const DAY_MS = 24 * 60 * 60 * 1_000;
const WIDTHS = [128, 256, 512];
const SHOWN = 12;

/** Those who only look. */
export const READERS: readonly Role[] = [
  { name: 'history', clients: 3, pauseMs: 400, turn: history },
  { name: 'searches', clients: 1, pauseMs: 800, turn: search },
  { name: 'usage', clients: 1, pauseMs: 2_000, turn: usage },
  { name: 'exports', clients: 1, pauseMs: 20_000, turn: exportAll },
  { name: 'gallery', clients: 12, pauseMs: 500, turn: gallery },
];

/** Page after page, and from the start again. */
function history({ random }: Stage): Turn {
  let after: string | null = null;
  return async (client) => {
    const filter = random() < 0.3 ? { status: [pick(['SUCCEEDED', 'FAILED'], random)] } : undefined;
    const data = await client.query(PAGE, { after, filter: after === null ? filter : undefined });
    const info = data?.editJobs.pageInfo;
    after = info?.hasNextPage && random() < 0.9 ? info.endCursor : null;
  };
}

function search({ random }: Stage): Turn {
  return async (client) => {
    const text = pick(['秋天', 'chair', 'number 1', 'brücke', 'nothing like this'], random);
    await client.query(random() < 0.5 ? PAGE : PROMPTS, { search: text });
  };
}

function usage({ ledger, random }: Stage): Turn {
  return async (client) => {
    const to = new Date(Date.now() + DAY_MS).toISOString();
    const from = new Date(Date.now() - 30 * DAY_MS).toISOString();
    const groupBy = pick([[], ['DAY'], ['MODEL', 'STATUS'], ['HOUR', 'QUALITY']], random);
    await client.query(USAGE, { from, to, groupBy });
    const [id] =
      pick(
        [...ledger.acknowledgedMs.keys()].slice(-50).map((each) => [each]),
        random,
      ) ?? [];
    if (id !== undefined) await client.query(LINEAGE, { id });
  };
}

function exportAll({ random }: Stage): Turn {
  return async (client) => {
    await client.send(`/export/edits?format=${pick(['csv', 'ndjson'], random)}`);
  };
}

/** A page's thumbnails, and some of its images. */
function gallery({ ledger, random }: Stage): Turn {
  return async (client) => {
    const data = await client.query(PAGE);
    const images = (data?.editJobs.edges ?? []).flatMap(
      ({ node }: { node: { outputImages: object[] } }) => node.outputImages,
    );
    for (let i = 0; i < SHOWN && images.length > 0; i += 1) {
      const { id, url } = pick<{ id: string; url: string }>(images, random);
      const path = new URL(url).pathname;
      const query = random() < 0.7 ? `?w=${pick(WIDTHS, random)}` : '';
      const { status } = await client.send(`${path}${query}`, { allowed: [404] });
      if (status === 404) ledger.gone.add(id);
    }
  };
}
