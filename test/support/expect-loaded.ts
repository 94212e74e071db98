import type { Locator } from 'playwright-core';
import { expect } from 'vitest';

/** Waits until the image is there, and could be decoded. */
export async function expectLoaded(image: Locator): Promise<void> {
  await image.waitFor();
  const width = await image.evaluate(async (element) => {
    if (!(element instanceof HTMLImageElement)) return 0;
    await element.decode();
    return element.naturalWidth;
  });
  expect(width).toBeGreaterThan(0);
}
