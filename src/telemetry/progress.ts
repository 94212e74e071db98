/** How often long work tells how far it is, in milliseconds. */
const EVERY_MS = 5_000;

/**
 * Logs how far long work is, every 5 s until it is disposed: what it does, the figures, and the seconds
 * so far. Short work logs nothing.
 */
export function logProgress(
  log: { info(entry: object, message: string): void },
  what: string,
  figures: () => object = () => ({}),
  everyMs = EVERY_MS,
): Disposable {
  const startedMs = performance.now();
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    log.info({ ...figures(), seconds }, what);
  }, everyMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
