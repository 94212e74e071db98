import { defineConfig } from 'vite';
import relay from 'vite-plugin-relay';

const target = process.env.RETOUCH_URL ?? 'http://127.0.0.1:4000';

export default defineConfig({
  plugins: [relay],
  server: {
    host: '127.0.0.1',
    port: Number(process.env.PORT ?? 5173),
    // To the browser, page and service are one origin: no CORS, and the links to images work.
    proxy: { '/graphql': { target }, '/images': { target } },
  },
});
