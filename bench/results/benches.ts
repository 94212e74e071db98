/** A bench is `bench/<name>.ts` and the script `bench:<name>`. */
export interface Bench {
  readonly name: string;
  readonly title: string;
  /** Arguments for `--quick`: so few runs that only what works is seen. */
  readonly quick: readonly string[];
}

/** In the order in which they run. */
export const BENCHES: readonly Bench[] = [
  { name: 'forward', title: 'Forwarding of images', quick: ['--runs', '1'] },
  { name: 'peers', title: 'Other ways to the same edit', quick: ['--runs', '1'] },
  { name: 'door', title: 'The OpenAI-compatible API', quick: ['--runs', '1'] },
  { name: 'requests', title: 'What one request may cost', quick: ['--runs', '1'] },
  { name: 'guards', title: 'Requests, authentication and limits', quick: ['--rounds', '2'] },
  { name: 'images', title: 'Images and thumbnails', quick: ['--rounds', '1'] },
  { name: 'page-of-edits', title: 'A page of the history', quick: ['--rounds', '2'] },
  { name: 'history', title: 'History at scale', quick: ['--samples', '10', '--edits', '50000'] },
  { name: 'queue', title: 'The queue', quick: ['--edits', '200', '--samples', '20'] },
  {
    name: 'per-edit',
    title: 'The load of an edit',
    quick: ['--edits', '40', '--rest-seconds', '5'],
  },
  { name: 'start', title: 'Starts and memory', quick: ['--runs', '1'] },
  { name: 'page', title: "GraphiQL's page", quick: ['--runs', '1'] },
];
