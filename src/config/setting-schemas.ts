import { isIP } from 'node:net';
import { z } from 'zod';
import {
  databaseUrlProblem,
  editsApiUrlProblem,
  proxyUrlProblem,
  publicUrlProblem,
  secretProblem,
} from './setting-mistakes.ts';

export const text = z.string().min(1);

export const list = text.transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

export function integer(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  const limited = z.number().min(min, error).max(max, error);
  return z.string().regex(/^\d+$/, error).transform(Number).pipe(limited);
}

const UNITS = ['', 'k', 'm', 'g', 't'];

/** A number of bytes, alone or with a unit. Units are powers of 1024, as in Postgres. */
export function bytes(min: number, max: number) {
  const error = `must be a size from ${min} to ${max} bytes, such as 26214400, 25MB or 1.5GB`;
  return z.string().transform((value, context) => {
    const [, number = '', unit = ''] =
      /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?$/i.exec(value) ?? [];
    const size = Math.floor(Number(number) * 1024 ** UNITS.indexOf(unit.toLowerCase()));
    if (number !== '' && size >= min && size <= max) return size;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

/** @param problemOf Returns the problem, as in "must be ...", or null. */
function checked(problemOf: (value: string) => string | null) {
  return text.superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
}

/** A key or token, as it is sent in a header. */
export const secret = checked(secretProblem);
export const editsApiUrl = checked(editsApiUrlProblem);
export const databaseUrl = checked(databaseUrlProblem);

export const publicUrl = checked(publicUrlProblem);
export const proxyUrl = checked(proxyUrlProblem);

export const addressBlocks = list.refine(
  (entries) => entries.every(isAddressBlock),
  'must be IP addresses or CIDR blocks such as 127.0.0.1 or 10.0.0.0/8, separated by commas',
);

function isAddressBlock(entry: string): boolean {
  const [address = '', prefix, ...more] = entry.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return (
    prefix === undefined ||
    (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128))
  );
}
