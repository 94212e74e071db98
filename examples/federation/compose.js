/** `npm run compose`: asks both subgraphs for their schemas and writes supergraph.graphql. */
import { writeFile } from 'node:fs/promises';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const SUBGRAPHS = {
  retouch: process.env.RETOUCH_URL ?? 'http://127.0.0.1:4000/graphql/subgraph',
  users: process.env.USERS_URL ?? 'http://127.0.0.1:4001/graphql',
};

async function serviceOf([name, url]) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
  });
  const { data } = await response.json();
  return { name, url, typeDefs: parse(data._service.sdl) };
}

const services = await Promise.all(Object.entries(SUBGRAPHS).map(serviceOf));
const { supergraphSdl, errors = [] } = composeServices(services);
if (supergraphSdl === undefined) throw new AggregateError(errors, errors.join('\n'));
await writeFile(process.env.SUPERGRAPH ?? 'supergraph.graphql', supergraphSdl);
