import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { serve } from './http.ts';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** How the next requests are answered, in order; then 204. */
  readonly answers: (number | ((res: ServerResponse) => unknown))[];
}

/** A webhook's other end on 127.0.0.1, until the test ends. */
export async function receiveWebhooks(): Promise<WebhookReceiver> {
  const received: Received[] = [];
  const answers: WebhookReceiver['answers'] = [];
  const listener: RequestListener = async (req, res) => {
    received.push({ headers: req.headers, body: await text(req) });
    const answer = answers.shift() ?? 204;
    if (typeof answer === 'number') res.writeHead(answer).end();
    else answer(res);
  };
  return { ...(await serve(listener)), received, answers };
}

/** As a receiver checks it. @throws WebhookVerificationError */
export function verify({ headers, body }: Received, secret: string): ReturnType<typeof JSON.parse> {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}
