import { APPLY_AUDIT_RETENTION } from '../admin/access/audit-retention.ts';
import { FORGET_EDITS } from '../edits/deletion/forget-edits.ts';
import { APPLY_RETENTION } from '../edits/deletion/retention.ts';
import { RUN_EDIT } from '../edits/edit-queue.ts';
import { SWEEP_ANSWERS } from '../edits/run/stored-answers.ts';
import { DELETE_OLD_RESPONSES } from '../edits/submit/delete-old-responses.ts';
import { READ_MODEL_LISTS } from '../edits-api/models/read-model-lists.ts';
import { REMOVE_BLOBS } from '../images/storage/remove-blobs.ts';
import { SWEEP_BLOBS } from '../images/storage/sweep-blobs.ts';
import { MAKE_THUMBNAILS } from '../images/thumbnails/make-thumbnails.ts';
import { DELIVER_WEBHOOK } from '../webhooks/delivery-queue.ts';

/** Every kind of work there is. Any process may enqueue any. */
export const QUEUES = [
  RUN_EDIT,
  MAKE_THUMBNAILS,
  DELIVER_WEBHOOK,
  REMOVE_BLOBS,
  SWEEP_BLOBS,
  FORGET_EDITS,
  APPLY_RETENTION,
  SWEEP_ANSWERS,
  DELETE_OLD_RESPONSES,
  APPLY_AUDIT_RETENTION,
  READ_MODEL_LISTS,
];
