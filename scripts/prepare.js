/**
 * `npm ci` ends with this (`prepare`): builds GraphiQL's page, unless the development packages that do
 * it were left out. Plain JavaScript, since the pinned Node, which runs TypeScript, is one of those.
 */
import { existsSync } from 'node:fs';

if (existsSync(new URL('../node_modules/vite', import.meta.url))) {
  await import('./build-page.ts');
} else {
  process.stderr.write(
    'GraphiQL’s page is not built: what builds it was left out (--omit=dev). All else is served.\n',
  );
}
