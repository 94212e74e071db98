import { join } from 'node:path';

/**
 * WebAssembly, such as PGlite and Prisma's query compiler, is compiled once and cheaply: V8's
 * optimizing compiler takes 550 MB and seconds of a core for a single function of PGlite, at every
 * start. What the cheap compiler cannot take still goes to the other one, where --liftoff-only would
 * end the process.
 */
export const WEBASSEMBLY_FLAGS = ['--no-wasm-dynamic-tiering', '--no-wasm-tier-up'] as const;

/**
 * How Node has to be started for memory to stay flat under load; `bench/forward` judges by them.
 * A young generation of megabytes would otherwise grow to a hundred, filled with what is garbage. And
 * the heap as a whole may double between two collections, where V8 by itself lets it grow fourfold.
 * It begins at the sizes that every start needs, not at a tenth of them: the collections until then
 * are a tenth of a start's processor time.
 */
export const NODE_FLAGS = [
  '--max-semi-space-size=4',
  '--min-semi-space-size=4',
  '--heap-growing-percent=50',
  '--initial-old-space-size=64',
  ...WEBASSEMBLY_FLAGS,
] as const;

/** Outside of DATA_DIR: it belongs to this installation. Where it cannot be written, it is not used. */
const COMPILE_CACHE = join(import.meta.dirname, '../../build/compile-cache');

/**
 * Node keeps the JavaScript that it has made of TypeScript and V8's compiled code: half a second of
 * a core at each start.
 *
 * glibc keeps freed memory in up to 8 arenas per core; with two, what one thread frees another uses.
 * And it returns what is free at an arena's end only above a threshold, which it raises to 64 MB
 * after large buffers, such as those of images, unless it is set. glibc reads both only when a
 * process starts; other systems ignore them.
 */
export const ENVIRONMENT = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: String(128 * 1024),
  NODE_COMPILE_CACHE: COMPILE_CACHE,
} as const;
