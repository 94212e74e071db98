import type { Usage } from './answer.ts';
import type { Fault } from './faults.ts';
import type { Form } from './form.ts';

const MAX_LAST_REQUESTS = 100;

/** A parsed file. */
interface SeenFile {
  /** The field's name. */
  readonly field: string;
  readonly filename: string | null;
  readonly contentType: string;
  readonly bytes: number;
  /** Lower-case hex; null if files are only counted. */
  readonly sha256: string | null;
}

/** A POST to the edits route. Headers are not recorded, so neither is the key. */
export interface SeenRequest {
  readonly requestId: string;
  /** From the request's header; null if the body is chunked. */
  readonly contentLength: number | null;
  /** In order. */
  fields: readonly (readonly [name: string, value: string])[];
  /** In order. */
  files: readonly SeenFile[];
  readonly fault: Fault['kind'] | null;
  paid: boolean;
  /** Null until there is a response, and permanently if the connection was closed instead. */
  status: number | null;
  /** As returned; null without a complete response. */
  usage: Usage | null;
}

export interface SandboxStats {
  /** POSTs to the edits route, counted when their headers arrive. */
  readonly requests: number;
  /** Those that the real API would bill, counted when their body was accepted. */
  readonly paid: number;
  /** Those rejected with 4xx, or with a 5xx that is not billed. */
  readonly refused: number;
  /** Faults used. */
  readonly faults: number;
  /** Faults still queued. */
  readonly queuedFaults: number;
  /** The latest requests, oldest first. */
  readonly lastRequests: readonly SeenRequest[];
}

export interface StatsKeeper {
  begin(request: {
    requestId: string;
    contentLength: number | null;
    fault: Fault | null;
  }): SeenRequest;
  snapshot(queuedFaults: number): SandboxStats;
  parsed(request: SeenRequest, form: Form): void;
  paid(request: SeenRequest): void;
  /** Corrects the count: the image turned out to be broken before anything was made from it. */
  unpaid(request: SeenRequest): void;
  answered(request: SeenRequest, status: number): void;
  used(request: SeenRequest, usage: Usage | null): void;
}

export function createStatsKeeper(): StatsKeeper {
  const count = { requests: 0, paid: 0, refused: 0, faults: 0 };
  const last: SeenRequest[] = [];
  return {
    begin({ requestId, contentLength, fault }) {
      count.requests += 1;
      if (fault !== null) count.faults += 1;
      const request: SeenRequest = {
        requestId,
        contentLength,
        fields: [],
        files: [],
        fault: fault?.kind ?? null,
        paid: false,
        status: null,
        usage: null,
      };
      last.push(request);
      if (last.length > MAX_LAST_REQUESTS) last.shift();
      return request;
    },
    parsed(request, form) {
      request.fields = form.fields;
      request.files = form.files.map(({ field, filename, contentType, bytes, sha256 }) => ({
        field,
        filename,
        contentType,
        bytes,
        sha256,
      }));
    },
    paid(request) {
      request.paid = true;
      count.paid += 1;
    },
    unpaid(request) {
      request.paid = false;
      count.paid -= 1;
    },
    answered(request, status) {
      request.status = status;
      if (status >= 400 && !request.paid) count.refused += 1;
    },
    used(request, usage) {
      request.usage = usage;
    },
    snapshot: (queuedFaults) => ({
      ...count,
      queuedFaults,
      lastRequests: last.map((one) => ({ ...one })),
    }),
  };
}
