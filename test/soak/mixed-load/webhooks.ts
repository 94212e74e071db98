import { type Received, receiveWebhooks, verify } from '../../support/webhook-receiver.ts';
import type { Client } from './client.ts';

const CREATE = /* GraphQL */ `
  mutation Create($input: CreateWebhookInput!) {
    createWebhook(input: $input) { ... on CreateWebhookPayload { secret } ... on Error { message } }
  }
`;
const EVENTS = ['EDIT_SUCCEEDED', 'EDIT_FAILED', 'EDIT_CANCELED', 'EDIT_OUTCOME_UNKNOWN'];
/** Of a hundred messages. */
const FAILING = 3;

export interface ToldOfEdits {
  /** Messages so far, repeated ones too. */
  readonly received: number;
  /** Ids of edits whose end a genuine message told. @throws if one is not genuine */
  ids(): Set<string>;
}

/** An endpoint that hears of the end of each edit, and fails at times. */
export async function listenByWebhook(client: Client, random: () => number): Promise<ToldOfEdits> {
  const receiver = await receiveWebhooks();
  const taken: Received[] = [];
  receiver.otherwise = (res) => {
    const isFailing = random() * 100 < FAILING;
    const last = receiver.received.at(-1);
    if (!isFailing && last) taken.push(last);
    res.writeHead(isFailing ? 500 : 204).end();
  };
  const data = await client.query(CREATE, {
    input: { url: `${receiver.url}/hook`, events: EVENTS },
  });
  const { secret } = data.createWebhook;
  return {
    get received() {
      return receiver.received.length;
    },
    ids: () => new Set(taken.map((message) => bodyOf(message, secret))),
  };
}

/** Verified without its age: it may have come a while ago. */
function bodyOf(message: Received, secret: string): string {
  const now = Date.now;
  Date.now = () => Number(message.headers['webhook-timestamp']) * 1_000;
  try {
    return verify(message, secret).data.editJob.id;
  } finally {
    Date.now = now;
  }
}
