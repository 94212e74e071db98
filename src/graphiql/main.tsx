import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';
import './phone.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { SignInGate } from './sign-in/sign-in-gate.tsx';

// The service passes settings to the page in its root element.
const sandbox = document.documentElement.dataset['sandbox'] === 'true';
if (sandbox) document.title = 'Retouch (sandbox)';

const auth = document.documentElement.dataset['auth'] === 'true';

const root = document.getElementById('page');
if (root) {
  createRoot(root).render(
    auth ? <SignInGate sandbox={sandbox} /> : <App sandbox={sandbox} session={null} />,
  );
}
