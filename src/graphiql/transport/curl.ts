import type { Operation } from './graphql.ts';
import { multipartMap, type PlacedFile } from './multipart.ts';

/** A shell command that sends an operation. Its files must be in the current directory. */
export function curlOf(options: {
  url: string;
  operation: Operation;
  files?: readonly PlacedFile[];
  headers?: Readonly<Record<string, string>>;
  /** Whether the request needs a credential, which the variable `RETOUCH_KEY` must contain. */
  hasCredential?: boolean;
}): string {
  const { url, operation, files = [], headers = {}, hasCredential = false } = options;
  const lines = [`curl ${quote(url)}`];
  for (const [name, value] of Object.entries(headers))
    lines.push(`-H ${quote(`${name}: ${value}`)}`);
  // Double quotes, in which a shell expands the variable.
  if (hasCredential) lines.push('-H "authorization: Bearer $RETOUCH_KEY"');
  if (files.length === 0) {
    lines.push(`-H 'content-type: application/json'`, `-d ${quote(JSON.stringify(operation))}`);
  } else {
    lines.push(
      `-H 'apollo-require-preflight: true'`,
      // `--form-string` does not read a file for a value that begins with @ or <.
      `--form-string ${quote(`operations=${JSON.stringify(operation)}`)}`,
      `--form-string ${quote(`map=${JSON.stringify(multipartMap(files))}`)}`,
      ...files.map(({ file }, index) => `-F ${quote(`${index}=@"${escapeName(file.name)}"`)}`),
    );
  }
  return lines.join(' \\\n  ');
}

/** Quoted for a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Quoted for curl. */
function escapeName(name: string): string {
  return name.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}
