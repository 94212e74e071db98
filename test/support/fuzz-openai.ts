import type { FuzzRequest } from './fuzz-values.ts';
import {
  chance,
  damage,
  int,
  type Json,
  mutate,
  pick,
  type Random,
  randomBytes,
} from './fuzz-values.ts';
import { BOUNDARY, filePart, formBody } from './multipart.ts';

const PATHS = [
  '/v1/images/edits',
  '/openai/v1/images/edits',
  '/openai/deployments/gpt-image-1/images/edits?api-version=x',
  '/v1/models',
  '/v1/images/generations',
];

/** Requests of the OpenAI-compatible API that are wrong in a place or several. */
export function createOpenaiFuzz(options: {
  random: Random;
  image: () => Uint8Array;
  imageId: string;
}): () => FuzzRequest {
  const { random, image, imageId } = options;
  const fields = (): Json => ({
    prompt: 'fuzz',
    model: 'gpt-image-1',
    n: 1,
    size: '1024x1024',
    quality: 'low',
    user: 'u',
    stream: chance(random, 0.2),
    partial_images: 0,
    response_format: 'b64_json',
    style: { mode: ['flat'] },
    metadata: { project: 'x' },
  });
  const dataUrl = () => `data:image/png;base64,${Buffer.from(image()).toString('base64')}`;

  function json(): FuzzRequest {
    const images: Json = [
      pick<() => Json>(random, [
        () => ({ file_id: imageId }),
        () => ({ image_url: dataUrl() }),
        () => ({ image_url: 'http://127.0.0.1:1/x.png' }),
      ])(),
    ];
    const body = { ...(fields() as { [key: string]: Json }), images };
    const bytes = Buffer.from(JSON.stringify(chance(random, 0.8) ? mutate(random, body) : body));
    return request(chance(random, 0.2) ? damage(random, bytes) : bytes, 'application/json');
  }

  function form(): FuzzRequest {
    const texts = Object.entries(fields() as { [key: string]: Json }).map(([name, value]) => ({
      name: chance(random, 0.1) ? `${name}[${int(random, 1_000_000)}]` : name,
      content: String(chance(random, 0.1) ? mutate(random, value) : value),
    }));
    const parts = [
      ...texts,
      ...Array.from({ length: 1 + int(random, 2) }, () =>
        filePart(
          pick(random, ['image', 'image[]', 'image[0]', 'mask', '__proto__']),
          chance(random, 0.8) ? image() : randomBytes(random, 2_000),
        ),
      ),
    ];
    if (chance(random, 0.3)) parts.splice(int(random, parts.length), 1);
    if (chance(random, 0.3)) parts.splice(int(random, parts.length), 0, pick(random, parts));
    const body = chance(random, 0.3) ? damage(random, formBody(parts)) : formBody(parts);
    const boundary = chance(random, 0.95) ? BOUNDARY : 'other';
    return request(body, `multipart/form-data; boundary=${boundary}`);
  }

  function request(body: Uint8Array, type: string): FuzzRequest {
    const headers = {
      'content-type': type,
      ...(chance(random, 0.2) && { 'idempotency-key': String(int(random, 5)) }),
      ...(chance(random, 0.2) && { 'x-stainless-retry-count': String(int(random, 3) - 1) }),
      ...(chance(random, 0.1) && { 'x-retouch-new': 'true' }),
    };
    return { path: chance(random, 0.7) ? '/v1/images/edits' : pick(random, PATHS), headers, body };
  }

  return () => pick(random, [json, form])();
}
