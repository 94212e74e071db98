import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { curlOf } from '../../src/graphiql/transport/curl.ts';

const execute = promisify(execFile);
const url = 'http://127.0.0.1:4000/graphql';

/** The arguments that a shell gives to curl. */
async function argumentsOf(command: string): Promise<string[]> {
  const { stdout } = await execute('sh', ['-c', `curl() { printf '%s\\0' "$@"; }\n${command}`]);
  return stdout.split('\0').slice(0, -1);
}

test('a shell gives curl exactly the operation, whatever is in it', async () => {
  const query = 'mutation($p: String!) { a(p: $p) }';
  const operation = { query, variables: { p: `it's "$HOME" \`x\` \\ \n @file 山` } };
  expect(await argumentsOf(curlOf({ url, operation }))).toEqual([
    url,
    '-H',
    'content-type: application/json',
    '-d',
    JSON.stringify(operation),
  ]);
});

test('files go as parts of their own, and no name is read as an option of a part', async () => {
  const operation = { query: 'mutation($f: Upload!) { a(f: $f) }', variables: { f: null } };
  const files = [{ path: ['f'], file: new File([], `a"b';c.png`) }];
  expect(await argumentsOf(curlOf({ url, operation, files }))).toEqual([
    url,
    '-H',
    'apollo-require-preflight: true',
    '--form-string',
    `operations=${JSON.stringify(operation)}`,
    '--form-string',
    'map={"0":["variables.f"]}',
    '-F',
    `0=@"a\\"b';c.png"`,
  ]);
});

test('a credential comes from a variable of the shell', async () => {
  const operation = { query: '{ a }' };
  const command = curlOf({ url, operation, hasCredential: true });
  expect(await argumentsOf(`RETOUCH_KEY=abc\n${command}`)).toContain('authorization: Bearer abc');
});
