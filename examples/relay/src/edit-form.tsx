import { useState } from 'react';
import { graphql, useMutation } from 'react-relay';
import type { editFormMutation } from './__generated__/editFormMutation.graphql.ts';

export function EditForm({ onStarted }: { onStarted: (id: string) => void }) {
  const [problem, setProblem] = useState<string>();
  const [edit, isInFlight] = useMutation<editFormMutation>(graphql`
    mutation editFormMutation($input: EditImageInput!) {
      editImage(input: $input) {
        ... on EditImagePayload {
          editJob {
            id
            ...job
          }
        }
        ... on Error {
          message
        }
      }
    }
  `);

  function start(form: FormData) {
    const [file, prompt] = [form.get('image') as File, String(form.get('prompt'))];
    setProblem(undefined);
    edit({
      // With `wait: 0` the mutation returns as soon as the job is stored.
      variables: { input: { images: [{ file: null }], prompt, partialImages: 3, wait: 0 } },
      uploadables: { 'variables.input.images.0.file': file },
      onCompleted({ editImage: { editJob, message } }) {
        if (editJob) onStarted(editJob.id);
        else setProblem(message);
      },
      onError: (error) => setProblem(error.message),
    });
  }

  return (
    <form action={start}>
      <input type="file" name="image" aria-label="Image" accept="image/*" required />
      <input name="prompt" aria-label="Prompt" defaultValue="make it autumn" required />
      <button type="submit" disabled={isInFlight}>
        Edit
      </button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
