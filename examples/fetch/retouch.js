/** @param url Such as http://127.0.0.1:4000/graphql */
export function createRetouch(url) {
  /** Answers the operation's data, or throws its first error. */
  async function ask(query, variables) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return dataOf(await response.json());
  }

  /** The same with files, by where they belong: { 'variables.input.images.0.file': file }. */
  async function upload(query, variables, files) {
    const names = Object.keys(files);
    const body = new FormData();
    body.set('operations', JSON.stringify({ query, variables }));
    body.set('map', JSON.stringify(Object.fromEntries(names.map((name) => [name, [name]]))));
    for (const name of names) body.set(name, files[name]);
    const headers = { 'apollo-require-preflight': 'true' };
    const response = await fetch(url, { method: 'POST', headers, body });
    return dataOf(await response.json());
  }

  /** What a subscription tells, until it ends: server-sent events, separated by empty lines. */
  async function* watch(query, variables) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query, variables }),
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Error('The connection was lost.');
        const events = (text + value).split('\n\n');
        text = events.pop();
        for (const event of events) {
          if (/^event: complete$/m.test(event)) return;
          const data = /^data: (.+)$/m.exec(event)?.[1];
          if (data) yield dataOf(JSON.parse(data));
        }
      }
    } finally {
      await reader.cancel();
    }
  }

  return { ask, upload, watch };
}

function dataOf({ data, errors }) {
  if (errors) throw new Error(errors[0].message);
  return data;
}
