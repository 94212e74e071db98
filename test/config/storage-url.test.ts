import { expect, test } from 'vitest';
import { parseStorageUrl } from '../../src/config/storage-url.ts';

test('takes a bucket of AWS, with a prefix and a region', () => {
  expect(parseStorageUrl('s3://images')).toEqual({
    bucket: 'images',
    prefix: '',
    endpoint: null,
    region: 'us-east-1',
    pathStyle: false,
  });
  expect(parseStorageUrl('s3://my.images/retouch/live/?region=eu-central-1')).toMatchObject({
    bucket: 'my.images',
    prefix: 'retouch/live/',
    region: 'eu-central-1',
  });
});

test('names the bucket in the path of another server, unless told otherwise', () => {
  const own = 's3://images?endpoint=http://127.0.0.1:9000';
  expect(parseStorageUrl(own)).toMatchObject({
    endpoint: 'http://127.0.0.1:9000',
    pathStyle: true,
  });
  expect(parseStorageUrl(`${own}&pathStyle=false`)).toMatchObject({ pathStyle: false });
  expect(parseStorageUrl('s3://images?pathStyle=true')).toMatchObject({
    endpoint: null,
    pathStyle: true,
  });
  expect(parseStorageUrl('s3://images?endpoint=https%3A%2F%2Fs3.example%2F')).toMatchObject({
    endpoint: 'https://s3.example',
  });
});

test.each([
  ['not a URL', 'must be s3://'],
  ['https://images.example', 'must be s3://'],
  ['s3://', 'name a bucket'],
  ['s3://Images', 'name a bucket'],
  ['s3://images:9000', 'name a bucket'],
  ['s3://images#part', 'name a bucket'],
  ['s3://images/a//b', 'prefix'],
  ['s3://images/.hidden', 'prefix'],
  ['s3://images/a b', 'prefix'],
  ['s3://images?regoin=eu-central-1', 'only have the parameters endpoint, region, pathStyle'],
  ['s3://images?region=', 'region'],
  ['s3://images?pathStyle=yes', 'pathStyle'],
  ['s3://images?endpoint=127.0.0.1:9000', 'endpoint'],
  ['s3://images?endpoint=http://host/path', 'endpoint'],
  ['s3://images?endpoint=http://user:canary@host', 'endpoint'],
  ['s3://id:canary@images', 'AWS_SECRET_ACCESS_KEY'],
])('refuses %s, and says what is wrong without repeating it', (url, problem) => {
  expect(() => parseStorageUrl(url)).toThrow(problem);
  expect(() => parseStorageUrl(url)).not.toThrow('canary');
});
