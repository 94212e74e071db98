/**
 * `npm run settings`: writes the table in docs/settings.md and .env.example from
 * src/config/settings.ts, and the table in docs/metrics.md from src/telemetry/metrics.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SETTINGS } from '../src/config/settings.ts';
import { METRICS } from '../src/telemetry/metrics.ts';

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

const metricsPage = join(root, 'docs/metrics.md');
const metricRows = Object.entries(METRICS).map(([name, { type, labels, help }]) => {
  const named = Object.keys(labels).map((label) => `\`${label}\``);
  const row = `| \`${name}\` | ${[type, named.join(', '), help].join(' | ')} |\n`;
  return row.replace('|  |', '| |');
});
const METRIC_TABLE = /(^\| Metric .*\n\| --- .*\n)(?:\|.*\n)+/m;
const metricsText = await readFile(metricsPage, 'utf8');
await writeFile(
  metricsPage,
  metricsText.replace(METRIC_TABLE, (_, head: string) => head + metricRows.join('')),
);
