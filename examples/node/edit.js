import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { EDIT, HISTORY, WATCH } from './operations.js';
import { createRetouch } from './retouch.js';

const [image, prompt = 'make it autumn', output = 'edited.png'] = process.argv.slice(2);
if (image === undefined) {
  console.error('Usage: npm start -- image.jpg "make it autumn" edited.png');
  process.exit(2);
}
const origin = process.env.RETOUCH_URL ?? 'http://127.0.0.1:4000';
const retouch = createRetouch(new URL('/graphql', origin).href);

const file = await openAsBlob(image);
// With `wait: 0` the mutation returns as soon as the job is stored.
const input = { images: [{ file }], prompt, partialImages: 3, wait: 0 };
const { editImage } = await retouch.ask(EDIT, { input }, { 'variables.input.images.0.file': file });
if (!('editJob' in editImage)) throw new Error(editImage.message);

for await (const { editJob: event } of retouch.watch(WATCH, { id: editImage.editJob.id })) {
  if (!event.editJob) throw new Error('The edit was deleted.');
  const { status, outputImages, usage, error } = event.editJob;
  console.log('image' in event && event.image ? `partial image: ${event.image.url}` : status);
  if (error) throw new Error(error.message);
  for (const { url } of outputImages) {
    await writeFile(output, new Uint8Array(await (await fetch(url)).arrayBuffer()));
    console.log(`${output} (${usage?.totalTokens ?? 'unknown'} tokens)`);
  }
}

console.log('\nHistory');
const { editJobs } = await retouch.ask(HISTORY, {});
for (const { createdAt, status, prompt } of editJobs.nodes) {
  console.log(createdAt, status, prompt.text);
}
