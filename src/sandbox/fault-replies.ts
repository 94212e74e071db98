import type { Fault } from './faults.ts';
import { ApiRefusal, type Reply } from './refusal.ts';

/** Whether the real API, or the one behind a failing proxy, bills an edit with this end. */
export function isPaid(fault: Fault | null): boolean {
  switch (fault?.kind) {
    case 'auth':
    case 'moderation':
    case 'no_model':
    case 'quota':
    case 'rate_limit':
    case 'redirect':
      return false;
    case 'reset':
      return fault.when === 'after-body';
    case 'status': {
      const byProxy = [502, 504].includes(fault.status) || Math.trunc(fault.status / 10) === 52;
      return byProxy || (fault.body !== 'json' && fault.status !== 503);
    }
    default:
      return true;
  }
}

/** The whole response of a fault without images; null for any other fault. */
export function faultReply(fault: Fault): Reply | null {
  switch (fault.kind) {
    case 'auth':
      return new ApiRefusal('Incorrect API key provided.', {
        status: 401,
        code: 'invalid_api_key',
      }).toReply();
    case 'moderation':
      return new ApiRefusal(
        'Your request was rejected by the safety system. If you believe this is an error, contact ' +
          'us and include the request ID.',
        {
          type: 'image_generation_user_error',
          code: 'moderation_blocked',
          fields: { moderation_details: { moderation_stage: 'input', categories: ['violence'] } },
        },
      ).toReply();
    case 'no_model':
      return new ApiRefusal('The model does not exist or you do not have access to it.', {
        status: 404,
        code: 'model_not_found',
      }).toReply();
    case 'quota':
      return new ApiRefusal(
        'You exceeded your current quota, please check your plan and billing details.',
        { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
      ).toReply();
    case 'rate_limit':
      return new ApiRefusal('Rate limit reached for images per min. Please try again later.', {
        status: 429,
        type: 'input-images',
        code: 'rate_limit_exceeded',
        headers: retryAfterHeader(fault.retryAfter),
      }).toReply();
    case 'redirect':
      return { status: 307, headers: { location: fault.location }, body: '' };
    case 'status':
      return statusReply(fault);
    case 'html':
      return { status: 200, headers: HTML, body: page('Welcome') };
    case 'not_json':
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: 'upstream connect error or disconnect/reset before headers',
      };
    default:
      return null;
  }
}

function statusReply(fault: Extract<Fault, { kind: 'status' }>): Reply {
  const headers = retryAfterHeader(fault.retryAfter);
  if (fault.body === 'json') {
    return new ApiRefusal('The server had an error while processing your request.', {
      status: fault.status,
      type: 'server_error',
      headers,
    }).toReply();
  }
  if (fault.body === 'none') return { status: fault.status, headers, body: '' };
  return {
    status: fault.status,
    headers: { ...HTML, ...headers },
    body: page(`Error ${fault.status}`),
  };
}

const HTML = { 'content-type': 'text/html; charset=utf-8' };

function page(title: string): string {
  return `<!doctype html>\n<html><head><title>${title}</title></head><body>${title}</body></html>\n`;
}

function retryAfterHeader(retryAfter: string | number | null): Record<string, string> {
  return retryAfter === null ? {} : { 'retry-after': String(retryAfter) };
}
