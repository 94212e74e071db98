import { EDIT, HISTORY, WATCH } from './operations.js';
import { createRetouch } from './retouch.js';

const retouch = createRetouch(new URL('/graphql', location.href).href);
const [form, alert, live, history] = ['form', '[role=alert]', 'section', 'ul'].map((selector) =>
  document.querySelector(selector),
);

async function edit() {
  const { image, prompt } = form.elements;
  // With `wait: 0` the mutation returns as soon as the job is stored.
  const input = { images: [{ file: null }], prompt: prompt.value, partialImages: 3, wait: 0 };
  const files = { 'variables.input.images.0.file': image.files[0] };
  const { editImage } = await retouch.upload(EDIT, { input }, files);
  if (!editImage.editJob) throw new Error(editImage.message);
  for await (const { editJob } of retouch.watch(WATCH, { id: editImage.editJob.id })) {
    if (editJob.editJob) showLive(editJob.editJob);
  }
  await showHistory();
}

function showLive({ status, partialImages, outputImages, error }) {
  live.hidden = false;
  live.querySelector('[role=status]').textContent = error?.message ?? status;
  live
    .querySelector('div')
    .replaceChildren(
      ...partialImages.map(({ url }) => imageOf(url, 'In progress')),
      ...outputImages.map(({ url }) => imageOf(url, 'Result')),
    );
}

async function showHistory() {
  const { editJobs } = await retouch.ask(HISTORY);
  const entries = editJobs.nodes.map(({ status, prompt, outputImages }) => {
    const entry = document.createElement('li');
    entry.append(
      ...outputImages.map(({ thumbnailUrl }) => imageOf(thumbnailUrl, prompt.text)),
      document.createElement('br'),
      `${prompt.text}: ${status}`,
    );
    return entry;
  });
  history.replaceChildren(...entries);
}

function imageOf(url, alt) {
  return Object.assign(new Image(), { src: url, alt });
}

/** Shows what went wrong. */
async function attempt(work) {
  alert.hidden = true;
  await work().catch((error) => {
    alert.hidden = false;
    alert.textContent = error.message;
  });
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  form.elements[2].disabled = true;
  await attempt(edit);
  form.elements[2].disabled = false;
});
await attempt(showHistory);
