import { styleText } from 'node:util';

const STYLES = {
  trace: 'dim',
  debug: 'dim',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'magenta',
} as const;

/**
 * Writes the log's JSON lines as text for a terminal: the local time, the level, the message, then
 * the rest as `name=value`, and the stack of a defect below. A line that is not JSON stays as it is.
 */
export function createPrettyStream(terminal: { write(text: string): unknown }) {
  return { write: (line: string) => void terminal.write(prettyLine(line)) };
}

export function prettyLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  const { time, level, msg = '', err, ...rest } = entry;
  const at = new Date(String(time));
  const clock = Number.isNaN(at.getTime()) ? '' : at.toTimeString().slice(0, 8);
  const name = String(level);
  const style = STYLES[name as keyof typeof STYLES] ?? 'reset';
  const { stack, ...error } = (typeof err === 'object' && err !== null ? err : {}) as {
    readonly stack?: unknown;
  };
  const values = Object.entries({ ...rest, ...error }).map(
    ([key, value]) => `${styleText('dim', `${key}=`)}${textOf(value)}`,
  );
  const head = `${styleText('dim', clock)} ${styleText(style, name.toUpperCase().padEnd(5))}`;
  const below = typeof stack === 'string' ? `\n${stack}` : '';
  return `${[head, printable(String(msg)), ...values].join(' ')}${below}\n`;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? '';
  return /^[\w.:/+@-]+$/.test(value) ? value : JSON.stringify(value);
}

/** A message may quote others: nothing in it moves the cursor or adds a line. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant.
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
}
