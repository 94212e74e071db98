import { expect, test } from 'vitest';
import { InvalidInputError } from '../../src/errors.ts';
import { createAllowedHosts } from '../../src/net/allowed-hosts.ts';
import { checkEndpointUrl } from '../../src/webhooks/endpoint-url.ts';

const none = () => false;

test.each([
  ['https://hooks.example/a?b=c', 'https://hooks.example/a?b=c'],
  ['https://hooks.example:8443', 'https://hooks.example:8443/'],
  ['https://8.8.8.8/hook', 'https://8.8.8.8/hook'],
  ['https://ünï.example/', 'https://xn--n-nga1b.example/'],
])('takes %s', (text, url) => {
  expect(checkEndpointUrl(text, none)).toBe(url);
});

test.each([
  'http://hooks.example/',
  'ftp://hooks.example/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'hooks.example',
  '',
  'https://',
  'https://user:pass@hooks.example/',
  'https://hooks.example/#part',
  `https://hooks.example/${'x'.repeat(2_048)}`,
  'https://0.0.0.0/',
  'https://127.0.0.1/',
  'https://2130706433/',
  'https://0x7f.1/',
  'https://0177.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[fd00:ec2::254]/',
  'https://169.254.169.254/latest/meta-data',
  'https://10.0.0.1/',
  'https://localhost/',
  'https://LOCALHOST./',
  'https://a.localhost:4000/',
])('refuses %s', (text) => {
  expect(() => checkEndpointUrl(text, none)).toThrow(InvalidInputError);
});

test('takes http and inner addresses of the hosts that are allowed, and of no other', () => {
  const isAllowed = createAllowedHosts(['127.0.0.1:9000', 'n8n']);
  expect(checkEndpointUrl('http://127.0.0.1:9000/a', isAllowed)).toBe('http://127.0.0.1:9000/a');
  expect(checkEndpointUrl('http://n8n:5678/a', isAllowed)).toBe('http://n8n:5678/a');
  expect(() => checkEndpointUrl('http://127.0.0.1:9001/', isAllowed)).toThrow(InvalidInputError);
  expect(() => checkEndpointUrl('ftp://n8n/', isAllowed)).toThrow(InvalidInputError);
});

test('names the field, and never repeats the URL, which may hold a secret', () => {
  try {
    checkEndpointUrl('https://user:canary@hooks.example/', none);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ field: 'url', code: 'UNSUPPORTED_VALUE' });
    expect(String(error)).not.toContain('canary');
  }
});
