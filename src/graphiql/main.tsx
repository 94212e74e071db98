import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';
import './phone.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';

// The service passes settings to the page in its root element.
const sandbox = document.documentElement.dataset['sandbox'] === 'true';
if (sandbox) document.title = 'Retouch (sandbox)';

const root = document.getElementById('page');
if (root) createRoot(root).render(<App sandbox={sandbox} />);
