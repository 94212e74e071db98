/**
 * `npm run generate`: generates the database client, then takes its WebAssembly out of the module of
 * base64 in which Prisma delivers it. That module would stay in memory, with the text of its source:
 * 9 MB of every process, and 50 ms of every start. Plain JavaScript, as prepare.js is.
 */
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const INTERNAL = join(ROOT, 'src/database/generated/prisma/internal');
const FILE = 'query-compiler.wasm';

const LOADER =
  /const \{ wasm \} = await import\("(@prisma\/client\/runtime\/[\w.-]+\.wasm-base64\.mjs)"\)\s+return await decodeBase64AsWasm\(wasm\)/;
const OWN_LOADER = `const { readFile } = await import('node:fs/promises')
    return new WebAssembly.Module(await readFile(new URL('./${FILE}', import.meta.url)))`;

// Prisma's CLI asks a server for its newest version otherwise.
const env = { ...process.env, CHECKPOINT_DISABLE: '1' };
const cli = join(ROOT, 'node_modules/prisma-cli/build/index.js');
execFileSync(process.execPath, [cli, 'generate'], { cwd: ROOT, env, stdio: 'inherit' });

const path = join(INTERNAL, 'class.ts');
const source = await readFile(path, 'utf8');
const [, module] = LOADER.exec(source) ?? [];
if (module === undefined) throw new Error(`${path} loads its WebAssembly in an unknown way`);
const { wasm } = await import(module);
await writeFile(join(INTERNAL, FILE), Buffer.from(wasm, 'base64'));
await writeFile(path, source.replace(LOADER, OWN_LOADER));
