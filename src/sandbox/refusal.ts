/** A response in one piece, without images. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * An error of the API. Messages and codes follow the official API, so that a client's error
 * handling can be tested here.
 */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Other fields of the error. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    details: {
      status?: number;
      type?: string;
      param?: string | null;
      code?: string | null;
      headers?: Readonly<Record<string, string>>;
      fields?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message);
    this.name = 'ApiRefusal';
    this.status = details.status ?? 400;
    this.type = details.type ?? 'invalid_request_error';
    this.param = details.param ?? null;
    this.code = details.code ?? null;
    this.headers = details.headers ?? {};
    this.fields = details.fields ?? {};
  }

  toReply(): Reply {
    const { message, type, param, code, fields } = this;
    return {
      status: this.status,
      headers: { 'content-type': 'application/json', ...this.headers },
      body: `${JSON.stringify({ error: { message, type, param, code, ...fields } }, null, 2)}\n`,
    };
  }
}

export function missingParameter(param: string): ApiRefusal {
  return new ApiRefusal(`Missing required parameter: '${param}'.`, {
    param,
    code: 'missing_required_parameter',
  });
}

export function invalidValue(
  param: string,
  value: string,
  supported: readonly string[],
): ApiRefusal {
  const list = new Intl.ListFormat('en').format(supported.map((one) => `'${one}'`));
  return new ApiRefusal(`Invalid value: '${value}'. Supported values are: ${list}.`, {
    param,
    code: 'invalid_value',
  });
}

export function invalidType(param: string, expected: string): ApiRefusal {
  return new ApiRefusal(`Invalid type for '${param}': expected ${expected}.`, {
    param,
    code: 'invalid_type',
  });
}

/** `number` counts from 1, as in the API. */
export function invalidImage(param: 'image' | 'mask', number: number): ApiRefusal {
  const which = param === 'mask' ? 'the mask' : `image ${number}`;
  return new ApiRefusal(`Invalid image file or mode for ${which}, please check your image file.`, {
    param,
    code: 'invalid_image_file',
  });
}
