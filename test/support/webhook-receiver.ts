import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { type Served, serve } from './http.ts';

export interface Received {
  /** Of the URL. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = number | ((res: ServerResponse) => unknown);

export interface WebhookReceiver extends Served {
  readonly received: Received[];
  /** How the next requests are answered, in order. */
  readonly answers: Answer[];
  /** How all further ones are. @default 204 */
  otherwise: Answer;
}

/** A webhook's other end on 127.0.0.1, until the test ends. */
export async function receiveWebhooks(): Promise<WebhookReceiver> {
  const listener: RequestListener = async (req, res) => {
    const { url: path = '', headers } = req;
    receiver.received.push({ path, headers, body: await text(req) });
    const answer = receiver.answers.shift() ?? receiver.otherwise;
    if (typeof answer === 'number') res.writeHead(answer).end();
    else answer(res);
  };
  const receiver: WebhookReceiver = {
    ...(await serve(listener)),
    received: [],
    answers: [],
    otherwise: 204,
  };
  return receiver;
}

/** As a receiver checks it. @throws WebhookVerificationError */
export function verify({ headers, body }: Received, secret: string): ReturnType<typeof JSON.parse> {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}
