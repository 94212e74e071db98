/** What a check found. */
export interface Outcome {
  readonly status: 'ok' | 'warn' | 'fault';
  readonly message: string;
  /** What to do. Null: nothing. */
  readonly fix: string | null;
}

export interface Finding extends Outcome {
  /** Name of the check. */
  readonly check: string;
}

export const ok = (message: string): Outcome => ({ status: 'ok', message, fix: null });

export const warn = (message: string, fix: string): Outcome => ({ status: 'warn', message, fix });

export const fault = (message: string, fix: string): Outcome => ({ status: 'fault', message, fix });

const LABELS = { ok: 'ok   ', warn: 'warn ', fault: 'FAULT' } as const;

/** One line, and the fix on a second one. */
export function formatFinding({ check, status, message, fix }: Finding): string {
  const line = `${LABELS[status]}  ${check}: ${onOneLine(message)}\n`;
  return fix === null ? line : `${line}       fix: ${onOneLine(fix)}\n`;
}

/** Control characters of a server's message must not reach the terminal. */
const onOneLine = (text: string) => text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
