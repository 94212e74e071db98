/** `npm run settings`: writes the table in docs/settings.md and .env.example from src/config/settings.ts. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SETTINGS } from '../src/config/settings.ts';

const root = join(import.meta.dirname, '..');
const settings = Object.entries(SETTINGS).map(([name, setting]) => ({
  name,
  written: 'default' in setting ? setting.default : '',
  description: setting.description,
}));

const page = join(root, 'docs/settings.md');
const rows = settings.map(({ name, written, description }) =>
  [`| \`${name}\``, written ? ` | \`${written}\`` : ' |', ` | ${description} |\n`].join(''),
);
const TABLE = /(^\| Variable .*\n\| --- .*\n)(?:\|.*\n)+/m;
const text = await readFile(page, 'utf8');
await writeFile(
  page,
  text.replace(TABLE, (_, head: string) => head + rows.join('')),
);

const env = join(root, '.env.example');
const [head] = (await readFile(env, 'utf8')).split('\n\n');
const lines = settings.map(
  ({ name, written, description }) => `# ${description}\n#${name}=${written}`,
);
await writeFile(env, `${[head, ...lines].join('\n\n')}\n`);
