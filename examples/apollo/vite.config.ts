import { defineConfig } from 'vite';

const target = process.env.RETOUCH_URL ?? 'http://127.0.0.1:4000';

export default defineConfig({
  server: {
    host: '127.0.0.1',
    port: Number(process.env.PORT ?? 5173),
    // To the browser, page and service are one origin: no CORS, and the links to images work.
    proxy: { '/graphql': { target, ws: true }, '/images': { target } },
  },
});
