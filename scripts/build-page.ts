/**
 * `npm run build:page`: bundles src/graphiql into build/graphiql, with each file compressed beside
 * it, unless what is there was made of the same sources. `npm ci` runs it too (`prepare`), so that
 * a start has nothing to build and a running service needs none of the bundler. With `--check` it
 * builds nothing and fails when the build is missing or stale.
 */
import { createHash } from 'node:crypto';
import { glob, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { HtmlTagDescriptor, IndexHtmlTransformContext } from 'vite';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src/graphiql');
const TARGET = join(ROOT, 'build/graphiql');
/** What the service has the files under, as seen from the page: it may be below a path prefix. */
const BASE = './graphiql/';
const SCRIPT = 'scripts/build-page.ts';
const STAMP = 'sources.sha256';

/** Of brotli: 11 saves 8 % more of the bytes and takes fifteen times as long. */
const BROTLI_QUALITY = 9;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } };
const COMPRESSED = /\.(js|css|svg|ttf)$/;

/** Of all that decides what the build is. */
async function hashSources(): Promise<string> {
  const own = await Array.fromAsync(glob('src/graphiql/**/*.*', { cwd: ROOT }));
  const hash = createHash('sha256');
  for (const path of [...own.sort(), 'package-lock.json', 'tsconfig.json', SCRIPT]) {
    hash.update(`${path}\0`).update(await readFile(join(ROOT, path)));
  }
  return hash.digest('hex');
}

async function bundle(outDir: string): Promise<void> {
  // React reads it. The page is always a production build, whatever the caller's value is.
  process.env['NODE_ENV'] = 'production';
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: SOURCE,
    // The files find each other by relative paths; `locate` tells the page where they are.
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic' } },
    worker: { format: 'es' },
    plugins: [{ name: 'preload-editor', transformIndexHtml: { order: 'post', handler: preloads } }],
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      // Monaco alone is larger than what Vite warns of.
      chunkSizeWarningLimit: 5_000,
      rolldownOptions: {
        onLog(level, log, write) {
          // 'use client' and the like, in most of the packages below GraphiQL: means nothing here.
          if (log.code !== 'MODULE_LEVEL_DIRECTIVE') write(level, log);
        },
      },
    },
  });
}

/** GraphiQL asks for its editor only once it runs itself: a browser can do so at once. */
function preloads(_html: string, { bundle }: IndexHtmlTransformContext): HtmlTagDescriptor[] {
  return Object.keys(bundle ?? {})
    .filter((path) => /\/monaco-editor-[\w-]+\.js$/.test(path))
    .map((path) => ({
      tag: 'link',
      attrs: { rel: 'modulepreload', crossorigin: true, href: `./${path}` },
      injectTo: 'head',
    }));
}

/** Makes the page's paths, which are relative to the directory of the build, relative to its URL. */
async function locate(page: string): Promise<void> {
  const html = await readFile(page, 'utf8');
  await writeFile(page, html.replaceAll('="./', `="${BASE}`));
}

async function compress(dir: string): Promise<void> {
  const names = (await readdir(dir)).filter((name) => COMPRESSED.test(name));
  await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name);
      const bytes = await readFile(path);
      await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, BROTLI));
      await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
    }),
  );
}

const sources = await hashSources();
const built = await readFile(join(TARGET, STAMP), 'utf8').catch(() => null);
if (process.argv.includes('--check')) {
  if (built !== sources) {
    process.stderr.write('build/graphiql is not what src/graphiql makes: npm run build:page.\n');
    process.exitCode = 1;
  }
} else if (built !== sources) {
  // Built aside, so that whoever serves the page meanwhile never sees half of it.
  const aside = `${TARGET}.${process.pid}`;
  try {
    await bundle(aside);
    await locate(join(aside, 'index.html'));
    await compress(join(aside, 'assets'));
    await writeFile(join(aside, STAMP), sources);
    await rm(TARGET, { recursive: true, force: true });
    await rename(aside, TARGET);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}
