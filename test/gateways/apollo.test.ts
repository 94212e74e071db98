import { afterAll, beforeAll, describe, inject } from 'vitest';
import { gatewayContract } from '../contracts/gateway.ts';
import { type Federation, type Gateway, startFederation } from '../support/federation.ts';

describe.runIf(inject('hasGateways'))('through Apollo Gateway', () => {
  let federation: Federation;
  let gateway: Gateway;
  beforeAll(async () => {
    federation = await startFederation();
    gateway = await federation.apollo();
  }, 120_000);
  afterAll(() => federation?.stop());

  gatewayContract(() => ({ app: federation.app, gateway }));
});
