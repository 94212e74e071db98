/** What is used of it; the package has no types of its own. */
declare module '@20minutes/s3rver' {
  import type { RequestListener } from 'node:http';

  // biome-ignore lint/style/noDefaultExport: what a CommonJS module looks like from here.
  export default class S3rver {
    constructor(options: { directory: string; silent: boolean; vhostBuckets: boolean });
    readonly store: { putBucket(name: string): Promise<unknown> };
    callback(): (...args: Parameters<RequestListener>) => Promise<void>;
  }
}

declare module '@20minutes/s3rver/lib/models/account.js' {
  export const DUMMY_ACCOUNT: { createKeyPair(id: string, secret: string): void };
}
