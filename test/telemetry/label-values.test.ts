import { expect, test } from 'vitest';
import { createLabelValues } from '../../src/telemetry/label-values.ts';

test('a label has its known values, thirty others and `other`', () => {
  const labelValue = createLabelValues({ isKnown: (_, value) => value.startsWith('gpt') });
  const values = Array.from({ length: 40 }, (_, i) => labelValue('model', `x${i}`));
  expect(values.filter((value) => value !== 'other')).toHaveLength(30);
  expect(labelValue('model', 'x0')).toBe('x0');
  expect(labelValue('model', 'gpt-image-9')).toBe('gpt-image-9');
  expect(labelValue('upstream', 'x35')).toBe('x35');
});

test('a long value of a client is `other`, and takes no place', () => {
  const labelValue = createLabelValues({ isKnown: () => false });
  expect(labelValue('model', 'x'.repeat(65))).toBe('other');
  expect(labelValue('model', 'x'.repeat(64))).toBe('x'.repeat(64));
});
