import { ApolloProvider } from '@apollo/client/react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { createRetouchClient } from './client.ts';

const client = createRetouchClient(new URL('/graphql', location.href).href);
const root = document.querySelector('#app');
if (root) {
  createRoot(root).render(
    <ApolloProvider client={client}>
      <App />
    </ApolloProvider>,
  );
}
