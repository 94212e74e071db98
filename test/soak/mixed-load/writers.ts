import { createHash } from 'node:crypto';
import { editUpload, ownCopy } from '../../support/edit-upload.ts';
import { pick, type Role, type Stage } from './actors.ts';
import { type Client, note } from './client.ts';

const EDIT = /* GraphQL */ `
  mutation Soak($input: EditImageInput!) {
    editImage(input: $input) {
      __typename
      ... on EditImagePayload { editJob { id } }
      ... on Error { message }
    }
  }
`;
const DELETE =
  'mutation Delete($id: ID!) { deleteEdit(input: { id: $id }) { __typename ... on Error { message } } }';

const MAX_IMAGES = 16;
/** Long enough that its end was told to all. */
const DELETED_AFTER_MS = 20_000;
const MAX_USABLE = 200;

type Data = ReturnType<typeof JSON.parse>;

/** Those who submit edits, upload and delete. */
export const WRITERS: readonly Role[] = [
  {
    name: 'edits of uploads',
    clients: 3,
    pauseMs: 2_000,
    turn: (stage) => (client) => editUploads(stage, client),
  },
  {
    name: 'edits of stored images',
    clients: 2,
    pauseMs: 2_000,
    turn: (stage) => (client) => editStored(stage, client),
  },
  {
    name: 'edits of 25 MB',
    clients: 1,
    pauseMs: 8_000,
    turn: (stage) => (client) => editLarge(stage, client),
  },
  {
    name: 'the OpenAI API',
    clients: 2,
    pauseMs: 2_000,
    turn: (stage) => (client) => editByOpenai(stage, client),
  },
  {
    name: 'uploads',
    clients: 2,
    pauseMs: 1_500,
    turn: (stage) => (client) => upload(stage, client),
  },
  {
    name: 'deletions',
    clients: 1,
    pauseMs: 1_000,
    turn: (stage) => (client) => deleteOne(stage, client),
  },
];

/** Of an edit: one output mostly, streamed with partial images at times, waited for or not. */
function parameters({ ledger, random }: Stage) {
  const isStream = random() < 0.25;
  return {
    prompt: ledger.newPrompt(),
    n: random() < 0.7 || isStream ? 1 : 2 + Math.floor(random() * 3),
    wait: random() < 0.5 ? 0 : 30,
    metadata: { project: pick(['north', 'south'], random), week: Math.floor(random() * 52) },
    ...(isStream && { partialImages: 1 + Math.floor(random() * 3) }),
  };
}

async function editUploads(stage: Stage, client: Client): Promise<void> {
  const { random, images } = stage;
  const isMiddle = random() < 0.2;
  const png = pick(isMiddle ? images.middle : images.small, random);
  await sendUploads(stage, client, png, isMiddle ? 1 : 1 + Math.floor(random() * 4));
}

async function editLarge(stage: Stage, client: Client): Promise<void> {
  await sendUploads(stage, client, stage.images.large, stage.random() < 0.2 ? 2 : 1);
}

async function sendUploads(stage: Stage, client: Client, png: Buffer, images: number) {
  const input = parameters(stage);
  const { headers, slices } = editUpload({ query: EDIT, input, png, images });
  const { status, text } = await client.send('/graphql', {
    method: 'POST',
    headers,
    body: slices(),
  });
  if (status === 200) acknowledge(stage, input.prompt, JSON.parse(text).data?.editImage);
}

async function editStored(stage: Stage, client: Client): Promise<void> {
  const { ledger, random } = stage;
  if (ledger.usable.length === 0) return;
  const count = 1 + Math.floor(random() ** 2 * MAX_IMAGES);
  const images = Array.from({ length: count }, () => ({ id: pick(ledger.usable, random) }));
  const input = { images, ...parameters(stage) };
  const data = await client.query(EDIT, { input });
  acknowledge(stage, input.prompt, data?.editImage);
}

function acknowledge({ ledger, tally }: Stage, prompt: string, answer: Data): void {
  if (answer?.__typename === 'EditImagePayload') {
    ledger.edits.set(prompt, answer.editJob.id);
    ledger.acknowledgedMs.set(answer.editJob.id, performance.now());
    // The image of a deleted edit goes with it.
  } else if (answer && answer.__typename !== 'NotFoundError') {
    note(tally.wrong, `editImage: ${JSON.stringify(answer)}`);
  }
}

/** What an upstream's failure becomes there. */
const OPENAI_FAILURES = [400, 429, 500, 502, 503, 504];

async function editByOpenai({ ledger, images, random }: Stage, client: Client): Promise<void> {
  const prompt = ledger.newPrompt();
  const form = new FormData();
  const isStream = random() < 0.3;
  for (let i = 0; i < (random() < 0.7 ? 1 : 3); i += 1) {
    const png = new Uint8Array(Buffer.concat(ownCopy(pick(images.small, random))));
    form.append('image[]', new File([png], 'image.png', { type: 'image/png' }));
  }
  form.set('prompt', prompt);
  if (isStream) form.set('stream', 'true');
  if (isStream) form.set('partial_images', '2');
  const encoded = new Response(form);
  const body = Buffer.from(await encoded.arrayBuffer());
  const headers = {
    'content-type': encoded.headers.get('content-type') ?? '',
    'content-length': body.length,
  };
  const { status } = await client.send('/v1/images/edits', {
    method: 'POST',
    headers,
    body: [body],
    allowed: OPENAI_FAILURES,
  });
  if (status === 200) ledger.edits.set(prompt, null);
}

async function upload({ ledger, images, random }: Stage, client: Client): Promise<void> {
  const isPhoto = random() < 0.5;
  const photo = pick(images.photos, random);
  const png = pick(random() < 0.2 ? images.middle : images.small, random);
  // Further bytes are rejected behind a photo: each is stored once.
  const bytes = isPhoto ? photo.bytes : Buffer.concat(ownCopy(png));
  const type = isPhoto ? photo.type : 'image/png';
  const { status, text } = await client.send('/images', {
    method: 'POST',
    headers: { 'content-type': type, 'content-length': bytes.length },
    body: [bytes],
  });
  if (status !== 201) return;
  const { id } = JSON.parse(text);
  if (isPhoto || random() < 0.5) {
    ledger.usable.push(id);
    if (ledger.usable.length > MAX_USABLE) ledger.usable.shift();
  } else ledger.uploads.set(id, createHash('sha256').update(bytes).digest('hex'));
}

async function deleteOne({ ledger, random }: Stage, client: Client): Promise<void> {
  const oldMs = performance.now() - DELETED_AFTER_MS;
  const old = [...ledger.acknowledgedMs].filter(
    ([id, atMs]) => atMs < oldMs && !ledger.deleted.has(id),
  );
  if (old.length === 0) return;
  const [id] = pick(old, random);
  const data = await client.query(DELETE, { id });
  if (data?.deleteEdit.__typename === 'DeleteEditPayload') ledger.deleted.add(id);
}
