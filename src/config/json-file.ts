import { readFile } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';

/** A problem with the file that a setting names. */
export function fileProblem(setting: string, path: string, reason: string): ConfigError {
  return new ConfigError([`${setting} ${JSON.stringify(path)}: ${reason}`]);
}

/** The JSON in the file that a setting names. @throws ConfigError, which quotes nothing of the file. */
export async function readJsonFile(setting: string, path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    // The parser's own message may quote a part of the file.
    throw fileProblem(setting, path, error instanceof SyntaxError ? 'is not JSON' : String(error));
  }
}
