import type { Row } from '../../support/report.ts';
import type { Client } from './client.ts';
import { brokenImages, readHistory, readUsage, type StoredEdit } from './history.ts';
import type { Ledger } from './ledger.ts';
import type { PaidUpstream } from './upstream.ts';
import type { ToldOfEdits } from './webhooks.ts';

/** That must not be, not once. */
export const none = (what: string, value: number): Row => ({
  what,
  service: '',
  bar: { value, atMost: 0, unit: '' },
});

/**
 * Compares the history, its images and its usage with what was promised to clients and with what the
 * upstream did. No edit may be open any more.
 */
export async function checkPromises(options: {
  client: Client;
  ledger: Ledger;
  upstream: PaidUpstream;
  told: ToldOfEdits;
}): Promise<Row[]> {
  const { client, ledger, upstream, told } = options;
  const edits = await readHistory(client);
  const accounts = [...upstream.accounts];
  const attempts = new Map(edits.map((edit) => [edit.prompt.text, edit.attempts.length]));
  const usage = await readUsage(client);
  const tokens = accounts.reduce((sum, [, account]) => sum + account.tokens, 0);
  const { checked, broken } = await brokenImages(client, edits);
  for (const [id, sha256] of ledger.uploads) {
    const answer = await client.send(`/images/${id}`);
    if (answer.sha256 !== sha256) broken.push(id);
  }
  const falselyGone = edits.flatMap(({ outputImages }) =>
    outputImages.filter(({ id }) => ledger.gone.has(id)),
  );
  return [
    { what: 'edits that were acknowledged', service: `${ledger.edits.size}` },
    { what: '  deleted', service: `${ledger.deleted.size}` },
    none('  lost, or there although deleted', countLost(edits, ledger)),
    none('  paid twice', accounts.filter(([, { paid }]) => paid > 1).length),
    none(
      '  with more POSTs than attempts',
      accounts.filter(([text, { posts }]) => posts > (attempts.get(text) ?? posts)).length,
    ),
    none('  whose images are not those of the upstream', countWrong(edits, upstream)),
    none('  whose end no webhook told', countUntold(edits, told)),
    {
      what: 'images, each fetched and compared with its hash',
      service: `${checked + ledger.uploads.size}`,
    },
    none('  broken', broken.length),
    none('  not found although their edit is there', falselyGone.length),
    {
      what: 'tokens: reported by the upstream, in the usage',
      service: `${tokens}, ${usage.totalTokens}`,
    },
    none('  difference', Math.abs(tokens - usage.totalTokens)),
  ];
}

export const countUntold = (edits: readonly StoredEdit[], told: ToldOfEdits): number => {
  const ids = told.ids();
  return edits.filter(({ id }) => !ids.has(id)).length;
};

function countLost(edits: readonly StoredEdit[], { edits: promised, deleted }: Ledger): number {
  const texts = new Set(edits.map(({ prompt }) => prompt.text));
  return [...promised].filter(([text, id]) => texts.has(text) === (id !== null && deleted.has(id)))
    .length;
}

/** Edits that succeeded without all images that the upstream sent, or have some although they did not. */
function countWrong(edits: readonly StoredEdit[], { accounts }: PaidUpstream): number {
  return edits.filter(({ status, prompt, n, outputImages }) => {
    const sent = accounts.get(prompt.text)?.outputs ?? [];
    const isWhole =
      outputImages.length === n && outputImages.every(({ sha256 }) => sent.includes(sha256));
    return (status === 'SUCCEEDED') !== isWhole;
  }).length;
}
