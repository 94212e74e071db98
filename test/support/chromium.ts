import { type Browser, chromium } from 'playwright-core';
import { findProgram } from './find-program.ts';

/** As Debian, Ubuntu, Google and Arch name it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The installed one; null: there is none. */
export function findChromium(): string | null {
  return NAMES.map((name) => findProgram(name)).find((path) => path !== null) ?? null;
}

/** A browser that reaches nothing but 127.0.0.1: other names are not looked up, and it asks nobody. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    ],
  });
}
