import { onTestFinished } from 'vitest';
import { LOCAL_VIEWER } from '../../../../src/auth/viewer.ts';
import type { InputImage } from '../../../../src/edits/submit/edits.ts';
import { toErrorResponse } from '../../../../src/http/error-response.ts';
import {
  createReceiveEdit,
  type ReceiveContext,
} from '../../../../src/http/openai/receive/receive-edit.ts';
import { createTakePlace, createUploadPlaces } from '../../../../src/http/upload-places.ts';
import type { StoredImage } from '../../../../src/images/images.ts';
import { receiveUploads } from '../../../../src/images/receive/receive-image.ts';
import { createAddressGuard } from '../../../../src/net/address-guard.ts';
import { encodeGlobalId } from '../../../../src/public-ids/global-id.ts';
import { send, serve } from '../../../support/http.ts';
import { BOUNDARY, type FormPart, formBody } from '../../../support/multipart.ts';
import { temporaryStorage } from '../../../support/storage.ts';

const STORED: StoredImage = {
  id: '01900000-0000-7000-8000-000000000001',
  ownerId: 'local',
  sha256: 'ab',
  format: 'PNG',
  width: 1,
  height: 1,
  bytes: 68,
  hasAlpha: false,
};
export const STORED_ID = encodeGlobalId('Image', STORED.id);
export const UNKNOWN_ID = encodeGlobalId('Image', '01900000-0000-7000-8000-000000000002');

export interface Received {
  readonly status: number;
  /** On success. */
  readonly params: Record<string, unknown>;
  readonly images: { kind: string; bytes: number; sha256: string }[];
  readonly mask: { kind: string; bytes: number; sha256: string } | null;
  readonly isStreamed: boolean;
  /** Otherwise. */
  readonly code: string;
  readonly message: string;
  readonly problems: { field: string; code: string; message: string }[];
}

/** A server that receives edits at any path, and responds with what it received. */
export async function receiveServer(
  options: {
    maxFileBytes?: number;
    /** Whether linked images may be at addresses that are not public. @default true */
    reachesLoopback?: boolean;
    check?: ReceiveContext['check'];
    model?: string;
    signal?: AbortSignal;
    onRequest?: () => void;
  } = {},
) {
  const { maxFileBytes = 1_000_000, reachesLoopback = true, check, model = null } = options;
  const { staging, stagedFiles } = await temporaryStorage();
  const guard = createAddressGuard({ allow: () => reachesLoopback });
  onTestFinished(() => guard.close());
  const places = { taken: 0, everTaken: 0 };
  const uploadPlaces = createUploadPlaces({ maxBytes: 10 ** 9 });
  const receiveEdit = createReceiveEdit({
    images: { find: async (_, id) => (id === STORED.id ? STORED : null) },
    uploads: {
      receive: (files, signal) =>
        receiveUploads({
          uploads: files.map((file) => ({ ...file, maxBytes: maxFileBytes })),
          staging,
          maxPixels: 100_000_000,
          signal,
        }),
    },
    takePlace: createTakePlace(
      {
        take(bytes, client) {
          const giveBack = uploadPlaces.take(bytes, client);
          places.taken += 1;
          places.everTaken += 1;
          let isTaken = true;
          return () => {
            if (isTaken) places.taken -= 1;
            isTaken = false;
            giveBack();
          };
        },
      },
      () => null,
    ),
    maxFileBytes,
    links: { guard, timeoutMs: 60_000 },
  });

  const handled: Promise<void>[] = [];
  let last: Received | undefined;
  const { url, port } = await serve((req, res) => {
    options.onRequest?.();
    const gone = new AbortController();
    res.once('close', () => gone.abort(new DOMException('gone', 'AbortError')));
    const signal = AbortSignal.any([gone.signal, ...(options.signal ? [options.signal] : [])]);
    const respond = (status: number, body: object) => {
      res.writeHead(status, { 'content-type': 'application/json' });
      res.end(JSON.stringify(body));
    };
    const handle = async () => {
      try {
        const edit = await receiveEdit(req, res, {
          viewer: LOCAL_VIEWER,
          model,
          signal,
          ...(check && { check }),
        });
        const { params, isStreamed } = edit;
        const images = edit.images.map(shown);
        const mask = edit.mask && shown(edit.mask);
        await edit.discard();
        const received = { params, images, mask, isStreamed };
        last = toReceived(200, JSON.stringify(received));
        respond(200, { ...received, ...NO_IMAGE });
      } catch (error) {
        const { status, code, message, details } = toErrorResponse(error);
        if (status === 500) throw error;
        respond(status, { code, message, ...details });
      }
    };
    handled.push(handle());
  });

  async function post(
    body: Uint8Array,
    headers: Record<string, string | number> = {},
  ): Promise<Received> {
    const answer = await send(`${url}/v1/images/edits`, { method: 'POST', headers, body });
    return toReceived(answer.status, answer.body.toString());
  }

  return {
    url: `${url}/v1`,
    port,
    stagedFiles,
    places,
    /** Until every request that came so far is done with. */
    settled: () => Promise.all(handled),
    handled,
    /** What was received last, for clients that hide the response. */
    last(): Received {
      if (last === undefined) throw new Error('nothing was received');
      return last;
    },
    post,
    form: (parts: readonly FormPart[]) =>
      post(formBody(parts), { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }),
    json: (document: unknown) =>
      post(Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)), {
        'content-type': 'application/json',
      }),
  };
}

/** For clients that expect a response of the API. */
const NO_IMAGE = { created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] };

function toReceived(status: number, json: string): Received {
  return { status, ...JSON.parse(json) };
}

function shown(input: InputImage) {
  if (input.kind === 'stored') return { kind: 'stored', ...pick(input.image) };
  const { staged } = input.image;
  return { kind: 'received', ...pick(staged) };
}

const pick = ({ bytes, sha256 }: { bytes: number; sha256: string }) => ({ bytes, sha256 });
