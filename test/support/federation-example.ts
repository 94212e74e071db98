import { join } from 'node:path';

/** Where a federation is shown, and what the gateways' suites run. */
export const FEDERATION_EXAMPLE = join(import.meta.dirname, '../../examples/federation');
