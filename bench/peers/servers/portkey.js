/**
 * Portkey's gateway, with a shim. In 1.15.2 its route for edits forwards the image, then sets headers
 * on the upstream's response. Those of a response of `fetch` are immutable, so the gateway returns
 * 500. The shim gives such responses headers that can be set; their bodies are not touched.
 */
const { fetch: send, Response } = globalThis;
globalThis.fetch = async (...args) => {
  const { body, status, statusText, headers } = await send(...args);
  return new Response(body, { status, statusText, headers });
};
await import('@portkey-ai/gateway/build/start-server.js');
