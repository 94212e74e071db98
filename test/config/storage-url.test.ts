import { expect, test } from 'vitest';
import { parseStorageUrl } from '../../src/config/storage-url.ts';

test('takes a bucket of AWS, with a prefix and a region', () => {
  expect(parseStorageUrl('s3://pictures')).toEqual({
    bucket: 'pictures',
    prefix: '',
    endpoint: null,
    region: 'us-east-1',
    pathStyle: false,
  });
  expect(parseStorageUrl('s3://my.pictures/retouch/live/?region=eu-central-1')).toMatchObject({
    bucket: 'my.pictures',
    prefix: 'retouch/live/',
    region: 'eu-central-1',
  });
});

test('names the bucket in the path of another server, unless told otherwise', () => {
  const own = 's3://pictures?endpoint=http://127.0.0.1:9000';
  expect(parseStorageUrl(own)).toMatchObject({
    endpoint: 'http://127.0.0.1:9000',
    pathStyle: true,
  });
  expect(parseStorageUrl(`${own}&pathStyle=false`)).toMatchObject({ pathStyle: false });
  expect(parseStorageUrl('s3://pictures?pathStyle=true')).toMatchObject({
    endpoint: null,
    pathStyle: true,
  });
  expect(parseStorageUrl('s3://pictures?endpoint=https%3A%2F%2Fs3.example%2F')).toMatchObject({
    endpoint: 'https://s3.example',
  });
});

test.each([
  ['not a URL', 'must be s3://'],
  ['https://pictures.example', 'must be s3://'],
  ['s3://', 'name a bucket'],
  ['s3://Pictures', 'name a bucket'],
  ['s3://pictures:9000', 'name a bucket'],
  ['s3://pictures#part', 'name a bucket'],
  ['s3://pictures/a//b', 'prefix'],
  ['s3://pictures/.hidden', 'prefix'],
  ['s3://pictures/a b', 'prefix'],
  ['s3://pictures?regoin=eu-central-1', 'endpoint, region, pathStyle only'],
  ['s3://pictures?region=', 'region'],
  ['s3://pictures?pathStyle=yes', 'pathStyle'],
  ['s3://pictures?endpoint=127.0.0.1:9000', 'endpoint'],
  ['s3://pictures?endpoint=http://host/path', 'endpoint'],
  ['s3://pictures?endpoint=http://user:canary@host', 'endpoint'],
  ['s3://id:canary@pictures', 'AWS_SECRET_ACCESS_KEY'],
])('refuses %s, and says what is wrong without repeating it', (url, problem) => {
  expect(() => parseStorageUrl(url)).toThrow(problem);
  expect(() => parseStorageUrl(url)).not.toThrow('canary');
});
