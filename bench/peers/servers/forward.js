const [upstreamUrl] = process.argv.slice(2);

/** Sends an edit to the edits API with `fetch` and `FormData`, as one writes it by hand. */
export async function forward({ prompt, n, file }) {
  const form = new FormData();
  form.set('prompt', prompt);
  form.set('model', 'gpt-image-1');
  form.set('n', String(n));
  form.set('image', file, 'a.png');
  const response = await fetch(`${upstreamUrl}/images/edits`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-bench' },
    body: form,
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const { data } = await response.json();
  return { outputImages: data.map(({ b64_json }) => ({ b64Json: b64_json })) };
}
