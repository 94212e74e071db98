import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** As Debian, Ubuntu, Google and Arch name it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The installed one; null: there is none. */
export function findChromium(): string | null {
  const dirs = (process.env['PATH'] ?? '').split(delimiter);
  const places = NAMES.flatMap((name) => dirs.map((dir) => join(dir, name)));
  return places.find((place) => existsSync(place)) ?? null;
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
