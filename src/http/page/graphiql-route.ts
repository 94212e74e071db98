import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isFresh } from '../is-fresh.ts';
import { type ContentEncoding, chooseEncoding } from './content-encoding.ts';

/** The bundled GraphiQL page: its HTML, and the files that it loads. */
export interface GraphiqlRoute {
  /** Whether a browser wants to show `/graphql`, rather than a client to query it. */
  isPage(req: IncomingMessage): boolean;
  page(req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** `GET|HEAD /graphiql/assets/:name`. */
  asset(req: IncomingMessage, res: ServerResponse, name: string): Promise<void>;
}

/**
 * Everything is loaded from this service. Monaco sets inline styles and uses icons as `data:` URLs;
 * attached images are `blob:` URLs.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "font-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
};

const EXTENSIONS: Readonly<Record<ContentEncoding, string>> = { br: '.br', gzip: '.gz' };

/**
 * @param options.dir Output of `npm run build:page`. Files are not cached in memory.
 * @param options.auth Whether the page asks for a credential.
 */
export function createGraphiqlRoute(options: {
  dir: string;
  sandbox: boolean;
  auth: boolean;
}): GraphiqlRoute {
  const { dir, sandbox, auth } = options;
  const assets = join(dir, 'assets');

  /**
   * The file in an encoding that the client accepts; null if it does not exist in that encoding.
   */
  async function find(name: string, encoding: ContentEncoding | null) {
    const path = join(assets, encoding === null ? name : name + EXTENSIONS[encoding]);
    const found = await stat(path).catch(() => null);
    // The name contains a hash of the content.
    const etag = `"${name}${encoding === null ? '' : `-${encoding}`}"`;
    return found?.isFile() ? { path, bytes: found.size, encoding, etag } : null;
  }

  return {
    isPage: ({ method, headers }) =>
      (method === 'GET' || method === 'HEAD') && headers.accept?.includes('text/html') === true,

    async page(req, res) {
      const source = await readFile(join(dir, 'index.html'), 'utf8').catch(() => null);
      setSafety(res);
      if (source === null) return answerText(req, res, 503, NOT_BUILT);
      const html = Buffer.from(
        source
          .replace('data-sandbox="false"', `data-sandbox="${sandbox}"`)
          .replace('data-auth="false"', `data-auth="${auth}"`),
      );
      const etag = `"${createHash('sha256').update(html).digest('base64url')}"`;
      res.setHeader('ETag', etag);
      res.setHeader('Vary', 'Accept');
      res.setHeader('Cache-Control', 'no-cache');
      if (isFresh(req, etag)) return void res.writeHead(304).end();
      res.setHeader('Content-Type', 'text/html; charset=utf-8');
      res.writeHead(200, { 'Content-Length': html.length });
      res.end(req.method === 'HEAD' ? undefined : html);
    },

    async asset(req, res, name) {
      if (req.method !== 'GET' && req.method !== 'HEAD') {
        res.setHeader('Allow', 'GET, HEAD');
        return answerText(req, res, 405, 'Files of the page only support GET and HEAD.\n');
      }
      const contentType = CONTENT_TYPES[extname(name)];
      const encoding = chooseEncoding(req.headers['accept-encoding']);
      const file = contentType ? ((await find(name, encoding)) ?? (await find(name, null))) : null;
      if (contentType === undefined || file === null) {
        return answerText(req, res, 404, 'The file does not exist.\n');
      }
      setSafety(res);
      res.setHeader('ETag', file.etag);
      res.setHeader('Vary', 'Accept-Encoding');
      res.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
      if (isFresh(req, file.etag)) {
        return void res.writeHead(304).end();
      }
      res.setHeader('Content-Type', contentType);
      if (file.encoding !== null) res.setHeader('Content-Encoding', file.encoding);
      res.writeHead(200, { 'Content-Length': file.bytes });
      if (req.method === 'HEAD') return void res.end();
      // A client that disconnected needs no response.
      await pipeline(createReadStream(file.path), res).catch(() => res.destroy());
    },
  };
}

const NOT_BUILT =
  'The GraphiQL page has not been built: run `npm run build:page`. The API works without it.\n';

function setSafety(res: ServerResponse): void {
  res.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  res.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  res.setHeader('Referrer-Policy', 'no-referrer');
  res.setHeader('X-Content-Type-Options', 'nosniff');
}

function answerText(req: IncomingMessage, res: ServerResponse, status: number, text: string) {
  const body = Buffer.from(text);
  res.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-store',
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}
