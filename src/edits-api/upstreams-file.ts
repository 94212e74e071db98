import { z } from 'zod';
import { fileProblem, readJsonFile } from '../config/json-file.ts';
import { editsApiUrl, secret } from '../config/setting-schemas.ts';

/** One upstream, as configured. */
export interface UpstreamConfig {
  /** Identifies it in responses and logs. */
  readonly name: string;
  /** Ends in `/v1`. */
  readonly url: string;
  readonly key: string;
  readonly imageField: 'image' | 'image[]';
  /**
   * Whether it is the API itself, not a relay: then a 500 that it wrote itself means that no edit
   * was made.
   */
  readonly firstHand: boolean;
  /** The models it serves; null for any. */
  readonly models: readonly string[] | null;
  /** Lower values are tried first. */
  readonly priority: number;
  /** Maximum number of concurrent calls over all processes; null for no separate limit. */
  readonly concurrency: number | null;
  /**
   * Whether edits carry `safety_identifier`, a pseudonym of their owner, if there may be several
   * owners: so the API distinguishes one owner's abuse from that of the account.
   */
  readonly safetyIdentifier: boolean;
}

const schema = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 letters, digits, dots or dashes'),
      url: editsApiUrl,
      key: secret,
      imageField: z.enum(['image[]', 'image']).default('image[]'),
      firstHand: z.boolean().optional(),
      models: z.array(z.string().min(1)).min(1).nullable().default(null),
      priority: z.int().default(0),
      concurrency: z.int().min(1).nullable().default(null),
      safetyIdentifier: z.boolean().optional(),
    }),
  )
  .min(1)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'names must differ');

/** A 500 is the API's own statement only if nothing stands in between. */
export function isFirstHandHost(url: string): boolean {
  return new URL(url).hostname === 'api.openai.com';
}

/**
 * Reads EDITS_API_FILE.
 * @param firstHand For entries that do not set it; null to decide by their host.
 * @throws ConfigError, which never contains a key.
 */
export async function readUpstreamsFile(
  path: string,
  firstHand: boolean | null,
): Promise<readonly UpstreamConfig[]> {
  const json = await readJsonFile('EDITS_API_FILE', path);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw fileProblem('EDITS_API_FILE', path, z.prettifyError(parsed.error));
  return parsed.data.map((one) => {
    const isFirstHand = one.firstHand ?? firstHand ?? isFirstHandHost(one.url);
    return {
      ...one,
      url: one.url.replace(/\/+$/, ''),
      firstHand: isFirstHand,
      // A relay may not know the field.
      safetyIdentifier: one.safetyIdentifier ?? isFirstHand,
    };
  });
}
