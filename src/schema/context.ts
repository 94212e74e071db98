import type { ActFor } from '../admin/access/act-for.ts';
import type { ApiKeys } from '../admin/access/api-keys.ts';
import type { AuditEvents } from '../admin/access/audit-events.ts';
import type { Owners } from '../admin/access/owners.ts';
import type { Audit } from '../auth/audit.ts';
import type { Viewer } from '../auth/viewer.ts';
import type { PrismaClient } from '../database/database.ts';
import type { DeleteEdits } from '../edits/deletion/delete-edits.ts';
import type { CancelEdit } from '../edits/end/cancel-edit.ts';
import type { ResolveOutcome } from '../edits/end/resolve-outcome.ts';
import type { History } from '../edits/history/history.ts';
import type { EstimateEdit } from '../edits/input/estimate-edit.ts';
import type { Lineage } from '../edits/lineage/lineage.ts';
import type { Prompts } from '../edits/prompts/prompts.ts';
import type { RereadAnswer } from '../edits/run/reread-answer.ts';
import type { Pauses } from '../edits/run/upstream-pauses.ts';
import type { Edits } from '../edits/submit/edits.ts';
import type { SubmitAndWait } from '../edits/submit/submit-and-wait.ts';
import type { EditSubscriptions } from '../edits/watch/edit-subscriptions.ts';
import type { KnownUpstream } from '../edits-api/upstreams.ts';
import type { Images } from '../images/images.ts';
import type { Uploads } from '../images/receive/uploads.ts';
import type { BlobStore } from '../images/storage/blob-store.ts';
import type { Limits } from '../limits/limits.ts';
import type { SetLimit } from '../limits/set-limit.ts';
import type { Models } from '../models/models.ts';
import type { PriceTable } from '../models/prices.ts';
import type { ImageLinks } from '../public-ids/image-links.ts';
import type { UsageReports } from '../usage/report.ts';
import type { RepriceJobs } from '../usage/reprice.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { InlineImages } from './inline-images.ts';
import type { Loaders } from './loaders.ts';
import type { SharedReads } from './shared-reads.ts';

/** Lists and reports that may be read from a replica. */
export type LaggingReads = Pick<Services, 'history' | 'prompts' | 'usageReports'>;

/** The parts of the service that resolvers call; one instance for each process. */
export interface Services {
  readonly prisma: PrismaClient;
  readonly apiKeys: ApiKeys;
  readonly owners: Owners;
  readonly actFor: ActFor;
  readonly auditEvents: AuditEvents;
  readonly edits: Edits;
  readonly audit: Audit;
  readonly limits: Pick<Limits, 'list'>;
  readonly setLimit: SetLimit;
  readonly resolveOutcome: ResolveOutcome;
  readonly estimateEdit: EstimateEdit;
  readonly cancelEdit: CancelEdit;
  readonly deleteEdits: Pick<DeleteEdits, 'one'>;
  readonly rereadAnswer: RereadAnswer;
  readonly submitAndWait: SubmitAndWait;
  readonly history: History;
  readonly lineage: Lineage;
  readonly prompts: Prompts;
  readonly editSubscriptions: EditSubscriptions;
  readonly sharedReads: SharedReads;
  readonly images: Images;
  readonly uploads: Uploads;
  readonly imageLinks: ImageLinks;
  readonly blobs: BlobStore;
  readonly models: Models;
  readonly prices: PriceTable;
  readonly repriceJobs: RepriceJobs;
  readonly upstreams: readonly KnownUpstream[];
  readonly pauses: Pauses;
  readonly usageReports: UsageReports;
  /** See `listsOf`. */
  readonly lagging: LaggingReads;
  readonly webhooks: Webhooks;
}

/** The context of resolvers; one for each request. */
export interface Context extends Services {
  readonly viewer: Viewer;
  /** Of the request, as in the response and the log. */
  readonly requestId: string;
  readonly loaders: Loaders;
  readonly inlineImages: InlineImages;
  /** Origin of URLs in responses, such as `http://127.0.0.1:4000`. */
  readonly baseUrl: string;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
}
