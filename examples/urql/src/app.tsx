import { useEffect, useState } from 'react';
import { useMutation, useQuery, useSubscription } from 'urql';
import { EDIT, HISTORY, WATCH } from './operations.ts';

export function App() {
  const [id, setId] = useState<string>();
  const [status, setStatus] = useState<string>();
  return (
    <>
      <h1>Retouch with urql</h1>
      <EditForm onStarted={setId} />
      {id && <Live key={id} id={id} onStatus={setStatus} />}
      <History stamp={`${id} ${status}`} />
    </>
  );
}

function EditForm({ onStarted }: { onStarted: (id: string) => void }) {
  const [{ data, error, fetching }, edit] = useMutation(EDIT);
  const refused = data && 'message' in data.editImage ? data.editImage.message : undefined;

  async function start(form: FormData) {
    const [file, prompt] = [form.get('image') as File, String(form.get('prompt'))];
    // With `wait: 0` the mutation returns as soon as the job is stored.
    const input = { images: [{ file }], prompt, partialImages: 3, wait: 0 };
    const { data } = await edit({ input });
    if (data && 'editJob' in data.editImage) onStarted(data.editImage.editJob.id);
  }

  return (
    <form action={start}>
      <input type="file" name="image" aria-label="Image" accept="image/*" required />
      <input name="prompt" aria-label="Prompt" defaultValue="make it autumn" required />
      <button type="submit" disabled={fetching}>
        Edit
      </button>
      {(error || refused) && <p role="alert">{error?.message ?? refused}</p>}
    </form>
  );
}

/** The edit as it runs. */
function Live({ id, onStatus }: { id: string; onStatus: (status: string | undefined) => void }) {
  const [{ data, error }] = useSubscription({ query: WATCH, variables: { id } });
  const current = data?.editJob.editJob?.status;
  useEffect(() => onStatus(current), [onStatus, current]);
  if (error) return <p role="alert">{error.message}</p>;
  const job = data?.editJob.editJob;
  if (!job) return null;
  const { status, partialImages, outputImages, error: failure } = job;
  return (
    <section aria-label="This edit">
      <p role="status">{failure?.message ?? status}</p>
      {partialImages.map((image) => (
        <img key={image.id} src={image.url} alt="In progress" />
      ))}
      {outputImages.map((image) => (
        <img key={image.id} src={image.url} alt="Result" />
      ))}
    </section>
  );
}

/** Asked for again when the stamp changes: urql's cache knows answers, not the edits in them. */
function History({ stamp }: { stamp: string }) {
  const [{ data, error }, refresh] = useQuery({ query: HISTORY });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp is what it is asked again for.
  useEffect(() => refresh({ requestPolicy: 'network-only' }), [refresh, stamp]);
  return (
    <section aria-label="History">
      <h2>History</h2>
      {error && <p role="alert">{error.message}</p>}
      <ul>
        {data?.editJobs.nodes.map((job) => (
          <li key={job.id}>
            {job.outputImages.map((image) => (
              <img key={image.id} src={image.thumbnailUrl} alt={job.prompt.text} />
            ))}
            <br />
            {job.prompt.text}: {job.status}
          </li>
        ))}
      </ul>
    </section>
  );
}
