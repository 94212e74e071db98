/** A bucket of AWS or of another S3 server. */
export interface S3Location {
  readonly bucket: string;
  /** Prefix of each key: empty, or ending in a slash. */
  readonly prefix: string;
  /** Origin of another S3 server; null for AWS, in `region`. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Whether the path names the bucket, rather than the host name. */
  readonly pathStyle: boolean;
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*$/;
const REGION = /^[a-z0-9][a-z0-9-]*$/;
const PARAMETERS = ['endpoint', 'region', 'pathStyle'];

/**
 * `s3://bucket[/prefix][?endpoint=URL&region=NAME&pathStyle=true
 * false]`.
 *
 * `region` is us-east-1 by default, which servers other than AWS accept. `pathStyle` is true by
 * default with an `endpoint`, because such servers rarely have a host name for each bucket.
 * @throws Error that names the problem but never the value.
 */
export function parseStorageUrl(text: string): S3Location {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 's3:') throw new Error('must be s3://bucket or s3://bucket/prefix');
  if (url.username || url.password) {
    throw new Error(
      'must not contain credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead',
    );
  }
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  if (!BUCKET.test(url.hostname) || url.port || url.hash) {
    throw new Error(
      'must name a bucket of 3 to 63 lower-case letters, digits, dots and hyphens, as in s3://bucket/prefix',
    );
  }
  if (prefix !== '' && !PREFIX.test(prefix)) {
    throw new Error(
      'must have a prefix of letters, digits, dots, hyphens, underscores and slashes',
    );
  }
  return {
    bucket: url.hostname,
    prefix: prefix && `${prefix}/`,
    ...parseParameters(url.searchParams),
  };
}

function parseParameters(params: URLSearchParams) {
  const unknown = [...params.keys()].filter((name) => !PARAMETERS.includes(name));
  if (unknown.length > 0) throw new Error(`may only have the parameters ${PARAMETERS.join(', ')}`);
  const endpoint = params.get('endpoint');
  const region = params.get('region') ?? 'us-east-1';
  const pathStyle = params.get('pathStyle') ?? String(endpoint !== null);
  if (!REGION.test(region)) throw new Error('must have a valid region, such as eu-central-1');
  if (pathStyle !== 'true' && pathStyle !== 'false') {
    throw new Error('must have pathStyle=true or pathStyle=false');
  }
  return {
    endpoint: endpoint === null ? null : originOf(endpoint),
    region,
    pathStyle: pathStyle === 'true',
  };
}

function originOf(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  const isOrigin = url !== null && url.href === `${url.origin}/` && /^https?:$/.test(url.protocol);
  if (!isOrigin) {
    throw new Error(
      'must have an http:// or https:// origin as endpoint, such as http://127.0.0.1:9000',
    );
  }
  return url.origin;
}
