import { print } from 'graphql';
import { createClient } from 'graphql-sse';

/** @import { TadaDocumentNode } from 'gql.tada' */

/** @param {string} url Such as http://127.0.0.1:4000/graphql */
export function createRetouch(url) {
  const events = createClient({ url });

  /**
   * Sends an operation; `files` by where they belong, such as `variables.input.images.0.file`.
   * @template Data, Variables
   * @param {TadaDocumentNode<Data, Variables>} document
   * @param {Variables} variables
   * @param {Record<string, Blob>} [files]
   * @returns {Promise<Data>}
   */
  async function ask(document, variables, files = {}) {
    const names = Object.keys(files);
    const body = new FormData();
    body.set('operations', JSON.stringify({ query: print(document), variables }, withoutFiles));
    body.set('map', JSON.stringify(Object.fromEntries(names.map((name) => [name, [name]]))));
    for (const name of names) body.set(name, files[name] ?? '');
    const headers = { 'apollo-require-preflight': 'true' };
    const response = await fetch(url, { method: 'POST', headers, body });
    return dataOf(await response.json());
  }

  /**
   * What a subscription tells, until it ends.
   * @template Data, Variables
   * @param {TadaDocumentNode<Data, Variables>} document
   * @param {Variables & Record<string, unknown>} variables
   * @returns {AsyncGenerator<Data>}
   */
  async function* watch(document, variables) {
    const operation = { query: print(document), variables };
    for await (const result of events.iterate(operation)) yield dataOf(result);
  }

  return { ask, watch };
}

/**
 * A file is sent beside the operation, which has null in its place.
 * @param {string} _key
 * @param {unknown} value
 */
function withoutFiles(_key, value) {
  return value instanceof Blob ? null : value;
}

/** @param {any} result */
function dataOf({ data, errors }) {
  if (errors) throw new Error(errors[0].message);
  return data;
}
