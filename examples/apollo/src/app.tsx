import { useMutation, useQuery, useSubscription } from '@apollo/client/react';
import { useState } from 'react';
import { EDIT, HISTORY, WATCH } from './operations.ts';

export function App() {
  const [id, setId] = useState<string>();
  return (
    <>
      <h1>Retouch with Apollo Client</h1>
      <EditForm onStarted={setId} />
      {id && <Live key={id} id={id} />}
      <History />
    </>
  );
}

function EditForm({ onStarted }: { onStarted: (id: string) => void }) {
  const [edit, { data, error, loading }] = useMutation(EDIT, { refetchQueries: [HISTORY] });
  const refused = data && 'message' in data.editImage ? data.editImage.message : undefined;

  async function start(form: FormData) {
    const [file, prompt] = [form.get('image') as File, String(form.get('prompt'))];
    // With `wait: 0` the mutation returns as soon as the job is stored.
    const input = { images: [{ file }], prompt, partialImages: 3, wait: 0 };
    // What goes wrong is in `error` too; thrown on from here it would take the whole page away.
    const answer = await edit({ variables: { input } }).catch(() => null);
    if (answer?.data && 'editJob' in answer.data.editImage) {
      onStarted(answer.data.editImage.editJob.id);
    }
  }

  return (
    <form action={start}>
      <input type="file" name="image" aria-label="Image" accept="image/*" required />
      <input name="prompt" aria-label="Prompt" defaultValue="make it autumn" required />
      <button type="submit" disabled={loading}>
        Edit
      </button>
      {(error || refused) && <p role="alert">{error?.message ?? refused}</p>}
    </form>
  );
}

/** The edit as it runs. What it brings goes into Apollo's cache, and so into the history too. */
function Live({ id }: { id: string }) {
  const { data, error } = useSubscription(WATCH, { variables: { id } });
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

function History() {
  const { data, error } = useQuery(HISTORY);
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
