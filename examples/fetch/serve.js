// Serves this folder, and hands on what is for Retouch: to the browser they are one origin.
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { extname } from 'node:path';

const retouch = new URL(process.env.RETOUCH_URL ?? 'http://127.0.0.1:4000');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const FILES = ['index.html', 'app.js', 'operations.js', 'retouch.js', 'style.css'];

const server = createServer(async (req, res) => {
  if (/^\/(graphql|images)\b/.test(req.url)) return handOn(req, res);
  const name = req.url === '/' ? 'index.html' : req.url.slice(1);
  if (!FILES.includes(name)) return res.writeHead(404).end();
  const file = await readFile(new URL(name, import.meta.url));
  res.writeHead(200, { 'content-type': TYPES[extname(name)] }).end(file);
});

function handOn(req, res) {
  const { method, url: path, headers } = req;
  const onward = request(retouch, { method, path, headers }, (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    answer.pipe(res);
  });
  onward.on('error', () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
  res.on('close', () => onward.destroy());
  req.pipe(onward);
}

server.listen(Number(process.env.PORT ?? 5173), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
