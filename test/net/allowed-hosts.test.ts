import { expect, test } from 'vitest';
import { createAllowedHosts } from '../../src/net/allowed-hosts.ts';

test('allows a host on any port, or on the one that is named, however it is written', () => {
  const isAllowed = createAllowedHosts(['N8N', '127.1:9000', '[::1]', 'hook.internal:443']);
  expect(isAllowed('n8n', 5678)).toBe(true);
  expect(isAllowed('127.0.0.1', 9000)).toBe(true);
  expect(isAllowed('127.0.0.1', 9001)).toBe(false);
  expect(isAllowed('::1', 80)).toBe(true);
  expect(isAllowed('hook.internal', 443)).toBe(true);
  expect(isAllowed('hook.internal', 80)).toBe(false);
  expect(isAllowed('sub.n8n', 80)).toBe(false);
});

test('allows nothing without entries, or by one that is no host', () => {
  expect(createAllowedHosts([])('127.0.0.1', 80)).toBe(false);
  const isAllowed = createAllowedHosts(['', 'a b', ':80']);
  expect(isAllowed('', 80)).toBe(false);
  expect(isAllowed('a b', 80)).toBe(false);
});
