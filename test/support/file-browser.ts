import type { Browser } from 'playwright-core';
import { afterAll } from 'vitest';
import { findChromium, launchChromium } from './chromium.ts';

let browser: Promise<Browser> | undefined;
afterAll(async () => (await browser)?.close());

/** One for all tests of a file, each of which opens profiles of its own in it. There must be one. */
export function browserOfFile(): Promise<Browser> {
  browser ??= launchChromium(findChromium() ?? '');
  return browser;
}
