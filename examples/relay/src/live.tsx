import { useMemo, useState } from 'react';
import { graphql, useFragment, useSubscription } from 'react-relay';
import type { job$key } from './__generated__/job.graphql.ts';
import type { liveSubscription } from './__generated__/liveSubscription.graphql.ts';
import { JOB } from './job.ts';

const WATCH = graphql`
  subscription liveSubscription($id: ID!) {
    editJob(id: $id) {
      editJob {
        ...job
      }
    }
  }
`;

/** The edit as it runs. */
export function Live({ id }: { id: string }) {
  const [job, setJob] = useState<job$key | null>(null);
  const [problem, setProblem] = useState<string>();
  useSubscription<liveSubscription>(
    useMemo(
      () => ({
        subscription: WATCH,
        variables: { id },
        onNext: (event) => setJob(event?.editJob.editJob ?? null),
        onError: (error) => setProblem(error.message),
      }),
      [id],
    ),
  );
  if (problem) return <p role="alert">{problem}</p>;
  return job && <Images job={job} />;
}

function Images(props: { job: job$key }) {
  const { status, partialImages, outputImages, error } = useFragment(JOB, props.job);
  return (
    <section aria-label="This edit">
      <p role="status">{error?.message ?? status}</p>
      {partialImages.map((image) => (
        <img key={image.id} src={image.url} alt="In progress" />
      ))}
      {outputImages.map((image) => (
        <img key={image.id} src={image.url} alt="Result" />
      ))}
    </section>
  );
}
