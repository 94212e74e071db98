const UNITS = ['byte', 'kilobyte', 'megabyte'] as const;

/** Such as `351.6 kB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1_000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  const options = { style: 'unit', unit: UNITS[power], maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat('en', options).format(bytes / 1_000 ** power);
}

/** Such as `1,383` or `1.2M`. */
export function formatCount(count: number): string {
  const notation = count < 100_000 ? 'standard' : 'compact';
  return new Intl.NumberFormat('en', { notation, maximumFractionDigits: 1 }).format(count);
}

/** US dollars, to a hundredth of a cent, such as `$0.0423`. */
export function formatDollars(amount: number | string): string {
  const options = { style: 'currency', currency: 'USD', maximumFractionDigits: 4 } as const;
  return new Intl.NumberFormat('en', options).format(Number(amount));
}

const STEPS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** Such as `5 min. ago`. */
export function formatAgo(date: Date, now = new Date()): string {
  const seconds = Math.round((now.getTime() - date.getTime()) / 1_000);
  const [unit, length] = STEPS.find(([, limit]) => seconds >= limit) ?? ['second', 1];
  if (unit === 'second' && seconds < 10) return 'just now';
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
  return format.format(-Math.floor(seconds / length), unit);
}

/** Local time of day, such as `12:03:20`. */
export function formatTime(date: Date): string {
  return new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' }).format(date);
}
