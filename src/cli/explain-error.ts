import { ConfigError, InvalidInputError, NotFoundError, RetouchError } from '../errors.ts';
import { ValueError } from './usage-error.ts';

/** The options that set the fields of inputs, which errors name. */
const OPTIONS: Readonly<Record<string, string>> = {
  ownerId: '--owner',
  name: '--name',
  scopes: '--scope',
  allowedModels: '--model',
  expiresAt: '--expires',
  previousValidUntil: '--overlap',
  to: '--to',
  filter: '--filter',
  search: '--search',
  orderBy: '--order',
};

/** What to print for a failed command: one sentence for each problem, or the stack of a defect. */
export function explainError(error: unknown): string {
  if (error instanceof ValueError) return error.message;
  if (error instanceof InvalidInputError) {
    return error.problems.map(({ field, message }) => withOption(field, message)).join('\n');
  }
  if (error instanceof NotFoundError) {
    return `The ${error.resource.replace(/^Owner$/, 'owner')} ${JSON.stringify(error.id)} does not exist.`;
  }
  if (error instanceof ConfigError) return error.problems.join('\n');
  if (error instanceof RetouchError) return error.message.replace(/^Retouch cannot start: /, '');
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function withOption(field: string, message: string): string {
  const option = OPTIONS[field];
  return option === undefined || !message.startsWith(`${field} `)
    ? message
    : option + message.slice(field.length);
}
