import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { findChromium, launchChromium } from '../test/support/chromium.ts';
import { startService } from '../test/support/processes.ts';
import { median, type Row } from '../test/support/report.ts';
import { finish, JSON_OPTION } from './results/finish.ts';

/**
 * How long GraphiQL's page takes until an operation can be edited and run, in a browser that has
 * nothing cached, beside the same files from a bare server without an API. Exit code 1: the bar was
 * missed.
 *
 * `node bench/page.ts [--runs 5]`; needs Chromium.
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, ...JSON_OPTION },
});
const RUNS = Number(values.runs);
const BUILD_DIR = join(import.meta.dirname, '../build/graphiql');
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
};

const executable = findChromium();
if (executable === null)
  throw new Error('this bench needs Chromium (Debian: apt-get install chromium)');
const dir = await mkdtemp(join(tmpdir(), 'retouch-bench-'));
const floor = createServer(async (req, res) => {
  const { pathname } = new URL(req.url ?? '/', 'http://localhost');
  const name = pathname.startsWith('/graphiql/assets/')
    ? pathname.slice('/graphiql/'.length)
    : null;
  const isPage = req.headers.accept?.includes('text/html') === true;
  if (name === null && !isPage) return void res.writeHead(404).end();
  const type = name === null ? 'text/html; charset=utf-8' : TYPES[extname(name)];
  res.setHeader('content-type', type ?? 'application/octet-stream');
  const path = join(BUILD_DIR, name ?? 'index.html');
  const compressed = name === null ? null : await readFile(`${path}.gz`).catch(() => null);
  if (compressed !== null) res.setHeader('content-encoding', 'gzip');
  res.end(compressed ?? (await readFile(path)));
});
await new Promise<void>((resolve) => floor.listen(0, '127.0.0.1', resolve));
const floorUrl = `http://127.0.0.1:${(floor.address() as AddressInfo).port}`;
const service = await startService({ DATA_DIR: dir });
const browser = await launchChromium(executable);
try {
  const times = { floor: [] as number[], service: [] as number[] };
  // The first of each warms both up.
  for (let run = 0; run <= RUNS; run += 1) {
    for (const [name, url] of [
      ['floor', floorUrl],
      ['service', service.url],
    ] as const) {
      const ms = await open(browser, url);
      if (run > 0) times[name].push(ms);
    }
  }
  const [least, taken] = [median(times.floor), median(times.service)];
  const row: Row = {
    what: 'page until it can be used, nothing cached',
    floor: `${least.toFixed(0)} ms`,
    service: `${taken.toFixed(0)} ms`,
    runs: times,
    bar: { value: taken / least, unit: 'x', atMost: 1.25 },
  };
  await finish({ rows: [row] }, values.json);
} finally {
  await browser.close();
  await service.stop();
  floor.closeAllConnections();
  floor.close();
  await rm(dir, { recursive: true, force: true });
}

/** In milliseconds, in a profile of its own. */
async function open(from: Browser, url: string): Promise<number> {
  const context = await from.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    const startedMs = performance.now();
    await page.goto(`${url}/graphql`);
    await page.locator('.graphiql-query-editor .view-line').first().waitFor();
    await page.getByRole('button', { name: 'Execute query' }).waitFor();
    return performance.now() - startedMs;
  } finally {
    await context.close();
  }
}
