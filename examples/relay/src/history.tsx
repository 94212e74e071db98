import { graphql, useFragment, useLazyLoadQuery } from 'react-relay';
import type { historyQuery } from './__generated__/historyQuery.graphql.ts';
import type { job$key } from './__generated__/job.graphql.ts';
import { JOB } from './job.ts';

/** @param latest The id of the latest edit: the history is asked for again when it changes. */
export function History({ latest }: { latest: string | undefined }) {
  const { editJobs } = useLazyLoadQuery<historyQuery>(
    graphql`
      query historyQuery {
        editJobs(first: 12) {
          nodes {
            id
            ...job
          }
        }
      }
    `,
    {},
    { fetchKey: latest, fetchPolicy: 'store-and-network' },
  );
  return (
    <section aria-label="History">
      <h2>History</h2>
      <ul>
        {editJobs.nodes.map((node) => (
          <Entry key={node.id} job={node} />
        ))}
      </ul>
    </section>
  );
}

function Entry(props: { job: job$key }) {
  const job = useFragment(JOB, props.job);
  return (
    <li>
      {job.outputImages.map((image) => (
        <img key={image.id} src={image.thumbnailUrl} alt={job.prompt.text} />
      ))}
      <br />
      {job.prompt.text}: {job.status}
    </li>
  );
}
