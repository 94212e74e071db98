/**
 * How Node has to be started for memory to stay flat under load; `bench/forward` judges by them.
 * A young generation of megabytes would otherwise grow to a hundred, filled with what is garbage. And
 * the heap as a whole may double between two collections, where V8 by itself lets it grow fourfold.
 */
export const NODE_FLAGS = ['--max-semi-space-size=8', '--heap-growing-percent=50'] as const;

/**
 * glibc keeps freed memory in up to 8 arenas per core; with two, what one thread frees another uses.
 * It reads this at the very start of a process only; elsewhere nobody reads it.
 */
export const ENVIRONMENT = { MALLOC_ARENA_MAX: '2' } as const;
