import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openUpstreams } from '../../src/app/upstreams.ts';
import type { ChooseUpstream } from '../../src/edits/run/choose-upstream.ts';
import type { Upstreams } from '../../src/edits-api/upstreams.ts';
import { createStaging } from '../../src/images/storage/fs-staging.ts';
import { createLog } from '../../src/log.ts';
import { NO_TRACES } from '../../src/telemetry/traces.ts';

/** An edits API that attempts can name and that nothing is sent to; always chosen. */
export async function unusedUpstreams(
  dir: string,
  /** Given what closes it. */
  atEnd: (close: () => Promise<void> | void) => void = onTestFinished,
): Promise<{ upstreams: Upstreams; chooseUpstream: ChooseUpstream }> {
  const { upstreams, close } = await openUpstreams({
    editsApi: {
      kind: 'remote',
      url: 'http://127.0.0.1:9/v1',
      key: 'k',
      imageField: 'image',
      firstHand: null,
    },
    staging: createStaging({ dir: join(dir, 'staging') }),
    traces: NO_TRACES,
    log: createLog({ level: 'silent' }),
  });
  atEnd(close);
  return {
    upstreams,
    chooseUpstream: async () => async () => ({ upstream: upstreams.named('default') }),
  };
}
