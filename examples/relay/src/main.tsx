import { createRoot } from 'react-dom/client';
import { RelayEnvironmentProvider } from 'react-relay';
import { App } from './app.tsx';
import { createEnvironment } from './environment.ts';

const environment = createEnvironment(new URL('/graphql', location.href).href);
const root = document.querySelector('#app');
if (root) {
  createRoot(root).render(
    <RelayEnvironmentProvider environment={environment}>
      <App />
    </RelayEnvironmentProvider>,
  );
}
