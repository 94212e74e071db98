import { Agent, type IncomingMessage, request } from 'node:http';
import OpenAI, { toFile } from 'openai';
import { png } from './test-images.ts';

/** Equal requests have equal images. */
const IMAGE = await png();

/** OpenAI's SDK on a service. @param options Those of the SDK; by default it repeats nothing. */
export function openaiClient(url: string, options: ConstructorParameters<typeof OpenAI>[0] = {}) {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-local', maxRetries: 0, ...options });
}

/** The parameters of an edit of one small image, equal for equal prompts. */
export async function editOf(prompt: string) {
  return {
    image: await toFile(IMAGE, 'image.png', { type: 'image/png' }),
    prompt,
    quality: 'low' as const,
    size: '1024x1024' as const,
  };
}

/** A response of which the head has arrived. */
export type RawResponse = IncomingMessage;

/** A request of a client without an SDK, which says nothing of repeats. */
export interface RawRequest {
  /** Rejects if the connection closes before. */
  readonly response: Promise<RawResponse>;
  /** Closes the connection. */
  cut(): void;
}

/** @param headers Besides that of the form. */
export async function rawEdit(
  url: string,
  prompt: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawRequest> {
  const form = new FormData();
  form.set('image', new File([new Uint8Array(IMAGE)], 'image.png', { type: 'image/png' }));
  form.set('prompt', prompt);
  form.set('quality', 'low');
  form.set('size', '1024x1024');
  const encoded = new Response(form);
  const body = Buffer.from(await encoded.arrayBuffer());
  const type = encoded.headers.get('content-type') ?? '';
  const req = request(`${url}/v1/images/edits`, {
    method: 'POST',
    agent: new Agent({ keepAlive: false }),
    headers: { 'content-type': type, 'content-length': body.length, ...headers },
  });
  const response = new Promise<RawResponse>((resolve, reject) => {
    req.once('response', resolve).once('error', reject);
  });
  response.catch(() => undefined);
  req.end(body);
  return { response, cut: () => req.destroy() };
}
