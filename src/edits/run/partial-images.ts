import { ofAllOwners } from '../../auth/visible.ts';
import type { PrismaClient } from '../../database/database.ts';
import { MAX_OUTPUT_PIXELS } from '../../edits-api/answer/inspect-output.ts';
import type { OnPartialImage } from '../../edits-api/edits-api.ts';
import { InvalidInputError } from '../../errors.ts';
import type { Images } from '../../images/images.ts';
import { inspectImage } from '../../images/inspect/inspect-image.ts';
import { discardStagedFile } from '../../images/storage/fs-staging.ts';
import type { StagedFile } from '../../images/storage/staging.ts';
import type { Log } from '../../log.ts';
import type { Events } from '../../queue/events.ts';
import type { OpenAttempt } from './attempts.ts';

/**
 * Stores the partial images of a response, and publishes an event for each. They never delay the
 * response and never fail the edit: one that cannot be stored is logged and dropped.
 */
export interface PartialImages {
  begin(attempt: OpenAttempt, log: Log): AttemptPartials;
}

export interface AttemptPartials {
  /** Owns the file from then on. Files are stored one by one, in order of arrival. */
  readonly take: OnPartialImage;
  /** Resolves when all that were taken are stored or dropped. */
  stored(): Promise<void>;
}

export function createPartialImages(options: {
  prisma: PrismaClient;
  events: Events;
  images: Images;
}): PartialImages {
  const { prisma, events, images } = options;

  async function store(attempt: OpenAttempt, staged: StagedFile, index: number): Promise<void> {
    const { id: jobId, ownerId, attemptId } = attempt;
    const field = `partial image ${index}`;
    const facts = await inspectImage(staged, { field, maxPixels: MAX_OUTPUT_PIXELS });
    const received = [{ staged, facts }];
    await images.keep(ownerId, received);
    await prisma.$transaction(async (tx) => {
      // Locked, so that the edit cannot end, and then be deleted, in between.
      const open = await ofAllOwners(tx).$queryRaw<unknown[]>`
        SELECT FROM "EditAttempt" WHERE id = ${attemptId}::uuid AND state = 'SENT' FOR SHARE`;
      if (open.length === 0) return;
      const [imageId = ''] = await images.save(tx, ownerId, received);
      const key = { jobId, role: 'PARTIAL' as const, position: index };
      await ofAllOwners(tx).editJobImage.upsert({
        where: { jobId_role_position: key },
        create: { ...key, ownerId, imageId },
        update: { imageId },
      });
      await events.publish(tx, { kind: 'edit', jobId, ownerId, final: false, partial: index });
    });
  }

  return {
    begin(attempt, log) {
      let storing = Promise.resolve();
      let isBroken = false;

      async function take(staged: StagedFile, index: number): Promise<void> {
        try {
          if (!isBroken) await store(attempt, staged, index);
        } catch (error) {
          // The database or the disk is away: later ones would only delay the response.
          isBroken = !(error instanceof InvalidInputError);
          log.warn({ err: error, index }, 'partial image not stored');
        } finally {
          await discardStagedFile(staged).catch((error) =>
            log.warn({ err: error }, 'staged file not removed'),
          );
        }
      }

      return {
        take(staged, index) {
          storing = storing.then(() => take(staged, index));
        },
        stored: () => storing,
      };
    },
  };
}
