import type { IncomingMessage } from 'node:http';
import { ApiRefusal } from './refusal.ts';

/** Accepts any key unless one is configured. No message or log contains the key. */
export function checkKey(req: IncomingMessage, apiKey: string | null): ApiRefusal | null {
  const key = /^Bearer\s+(\S+)\s*$/i.exec(req.headers.authorization ?? '')?.[1];
  if (key === undefined) {
    return new ApiRefusal(
      "You didn't provide an API key. You need to provide your API key in an Authorization header " +
        'using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).',
      { status: 401 },
    );
  }
  if (apiKey === null || key === apiKey) return null;
  return new ApiRefusal('Incorrect API key provided.', { status: 401, code: 'invalid_api_key' });
}
