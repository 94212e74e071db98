import { NO_DRAWING, startTestApp, type TestApp } from './app.ts';
import { EDIT } from './operations.ts';
import { png } from './test-images.ts';

export type Headers = Readonly<Record<string, string>>;

/** An admin, as the trusted proxy names them. */
export const ADMIN: Headers = { 'x-user': 'boss' };

export interface KeyInput {
  readonly ownerId?: string;
  readonly scopes?: readonly ('READ' | 'EDIT' | 'ADMIN')[];
  readonly allowedModels?: readonly string[];
  readonly expiresAt?: string;
}

/** A service with authentication by API keys, and by a proxy whose users are admins. */
export async function startAccessApp(env: Record<string, string> = {}) {
  const settings = {
    AUTH_API_KEYS: 'true',
    AUTH_HEADER: 'x-user',
    AUTH_HEADER_SCOPES: 'admin',
    TRUSTED_PROXIES: '127.0.0.1',
    SECRET_KEY: Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7)).toString('base64'),
    ...env,
  };
  const app = await startTestApp(settings, NO_DRAWING);

  async function query(headers: Headers, source: string, variables: object = {}) {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: source, variables }),
    });
    return { status: response.status, ...(await response.json()) };
  }

  /** @returns the key and its id, or the error. */
  async function createKey(input: KeyInput = {}, headers: Headers = ADMIN) {
    const { data, errors } = await query(headers, CREATE_KEY, {
      input: { ownerId: 'ann', name: 'test', scopes: ['EDIT'], ...input },
    });
    return { ...data?.createApiKey, id: data?.createApiKey?.apiKey?.id, errors };
  }

  return { ...appOf(app), app, query, createKey };
}

function appOf(app: TestApp) {
  return {
    /** An uploaded image of a viewer, and an edit of it that has ended. */
    async edit(headers: Headers, prompt = 'a hat', more: object = {}) {
      const form = new FormData();
      const input = { images: [{ file: null }], prompt, wait: 60, ...more };
      form.set('operations', JSON.stringify({ query: EDIT, variables: { input } }));
      form.set('map', JSON.stringify({ 0: ['variables.input.images.0.file'] }));
      form.set('0', new Blob([new Uint8Array(await png())]), 'image');
      const response = await fetch(`${app.url}/graphql`, {
        method: 'POST',
        headers: { 'apollo-require-preflight': 'true', ...headers },
        body: form,
      });
      const { data, errors } = await response.json();
      return { job: data?.editImage?.editJob, result: data?.editImage, errors };
    },
    get: (path: string, headers: Headers = {}) => fetch(`${app.url}${path}`, { headers }),
  };
}

export const bearer = (key: string): Headers => ({ authorization: `Bearer ${key}` });

const CREATE_KEY = /* GraphQL */ `
  mutation ($input: CreateApiKeyInput!) {
    createApiKey(input: $input) {
      __typename
      ... on CreateApiKeyPayload {
        key
        apiKey { id ownerId name prefix scopes allowedModels expiresAt revokedAt }
      }
      ... on Error { message }
    }
  }
`;
