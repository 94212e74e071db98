import type { GraphQLSchema } from 'graphql';
import './scalars.ts';
import './errors.ts';
import './image.ts';
import './prompt.ts';
import './token-usage.ts';
import './edit-job.ts';
import './upstream-result.ts';
import './edit-attempt.ts';
import './cost.ts';
import './edit-image.ts';
import './reread-answer.ts';
import './estimate.ts';
import './reprice.ts';
import './limits.ts';
import './set-limit.ts';
import './resolve-outcome.ts';
import './edit-job-filter.ts';
import './history.ts';
import './lineage.ts';
import './prompts.ts';
import './subscriptions.ts';
import './usage.ts';
import './models.ts';
import './upstreams.ts';
import './webhooks.ts';
import './webhook-mutations.ts';
import './user.ts';
import './viewer.ts';
import './api-keys.ts';
import './owners.ts';
import './audit-events.ts';
import { builder } from './builder.ts';

/** The standalone schema, with `node` and `nodes` for Relay. */
export const schema = builder.toSchema();
// Set here because Pothos has no option for the description of the schema.
schema.description =
  'Retouch edits images according to a prompt and stores every edit with its images, token usage and cost. Begin with the mutation `editImage`, which submits an edit and waits for its result. `viewer` has your edits, usage and limits, and the subscription `editJob` follows one edit.';

/**
 * The Federation 2 subgraph of all types. Its library is loaded and the schema is built when it is
 * first asked for: many services never are, and it takes 0.3 s of processor time and 30 MB.
 * @param typePrefix Begins the names of its types; empty for none: see `SUBGRAPH_TYPE_PREFIX`.
 */
export async function loadSubgraph(typePrefix = ''): Promise<GraphQLSchema> {
  const { createSubgraph } = await import('./federation.ts');
  return createSubgraph(typePrefix);
}
