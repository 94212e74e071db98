import { parse } from 'graphql';
import { z } from 'zod';
import { fileProblem, readJsonFile } from '../../../config/json-file.ts';
import { checkDocumentText } from '../query-limits.ts';

/** Documents by their ids. */
export type OperationList = ReadonlyMap<string, string>;

/** The prefix of a hash is optional, in the file and in requests. */
export function withoutPrefix(id: string): string {
  return id.replace(/^sha256:/, '');
}

const schema = z.record(z.string().min(1).max(256), z.string().min(1));

/**
 * Reads PERSISTED_OPERATIONS_FILE. Documents are parsed; clients of several releases may share a
 * file, so whether a document is valid for the schema is checked when it runs.
 * @throws ConfigError
 */
export async function readOperationList(path: string): Promise<OperationList> {
  const problem = (reason: string) => fileProblem('PERSISTED_OPERATIONS_FILE', path, reason);
  const json = await readJsonFile('PERSISTED_OPERATIONS_FILE', path);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw problem('must be an object of documents by their ids');
  const list = new Map(
    Object.entries(parsed.data).map(([id, document]) => [withoutPrefix(id), document]),
  );
  for (const [id, document] of list) {
    const reason = problemOf(document);
    if (reason !== null) throw problem(`the document of ${JSON.stringify(id)}: ${reason}`);
  }
  return list;
}

function problemOf(document: string): string | null {
  try {
    checkDocumentText(document);
    parse(document, { noLocation: true });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
