import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { temporaryDirectory } from '../support/directory.ts';
import { findProgram } from '../support/find-program.ts';
import { composeService, ROOT } from '../support/overlays.ts';
import { environmentOf, readUnit, UNITS, unitPath } from '../support/systemd-unit.ts';

const run = promisify(execFile);
const analyze = findProgram('systemd-analyze');
if (analyze === null) {
  process.stderr.write('\n!!! NO SYSTEMD: the units are not verified. !!!\n\n');
}

/** In tenths: systemd calls everything up to 2 "OK". */
const MAX_EXPOSURE = 16;

/** Its copy, with the Node.js that is on this machine. */
async function copyOf(name: string, change = (text: string) => text): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  const text = await readFile(unitPath(name), 'utf8');
  await writeFile(path, change(text.replaceAll('/usr/bin/node', process.execPath)));
  return path;
}

/** What systemd says of a unit: it ends with 0 for many mistakes. */
async function verify(path: string): Promise<string> {
  const { stderr } = await run(analyze ?? '', ['verify', '--man=no', path]).catch((error) => error);
  return stderr;
}

describe.each(UNITS)('%s', (name) => {
  test.runIf(analyze)('is a unit of which systemd has nothing to say', async () => {
    expect(await verify(await copyOf(name))).toBe('');
    const misspelled = (text: string) => text.replace('ProtectHome=', 'ProtectHomes=');
    expect(await verify(await copyOf(name, misspelled))).toContain("'ProtectHomes'");
  });

  test.runIf(analyze)('is among the least exposed by systemd’s own count', async () => {
    const ask = async (change?: (text: string) => string) =>
      run(analyze ?? '', [
        ...['security', '--offline=true', `--threshold=${MAX_EXPOSURE}`],
        await copyOf(name, change),
      ]);
    await ask();
    const exposed = (text: string) => text.replace('CapabilityBoundingSet=', '');
    await expect(ask(exposed)).rejects.toThrow();
  });

  test('agrees with main.ts, compose.yaml and the settings', async () => {
    const unit = await readUnit(name);
    const env = environmentOf(unit);
    for (const setting of Object.keys(env).filter((it) => !it.startsWith('NODE_'))) {
      expect(SETTINGS).toHaveProperty(setting);
    }
    const main = await readFile(join(ROOT, 'src/main.ts'), 'utf8');
    const [, status] = /const EXIT_CONFIG = (\d+);/.exec(main) ?? [];
    expect(unit['RestartPreventExitStatus']).toEqual([status]);
    const [, marginMs = ''] = /const STOP_MARGIN_MS = ([\d_]+);/.exec(main) ?? [];
    const graceSeconds = Number(env['SHUTDOWN_GRACE_SECONDS']);
    expect(Number(unit['TimeoutStopSec'])).toBeGreaterThan(
      graceSeconds + Number(marginMs.replaceAll('_', '')) / 1_000,
    );
    if (env['ROLE'] === 'worker') {
      expect(graceSeconds).toBeGreaterThan(Number(SETTINGS.EDIT_TIMEOUT_SECONDS.default));
    }
    const { mem_limit } = await composeService('retouch');
    expect(unit['MemoryMax']?.[0]).toBe(mem_limit.toUpperCase());
    expect(env['DATA_DIR']).toBe(`/var/lib/${unit['StateDirectory']?.[0]}`);
    expect(env['NODE_COMPILE_CACHE']).toBe(`/var/cache/${unit['CacheDirectory']?.[0]}`);
  });
});

test('both units have the same rights', async () => {
  const own = ['Description', 'Environment', 'ExecStart', 'TimeoutStopSec'];
  const [service = {}, worker = {}] = await Promise.all(
    UNITS.map(async (name) =>
      Object.fromEntries(Object.entries(await readUnit(name)).filter(([it]) => !own.includes(it))),
    ),
  );
  expect(Object.keys(service).length).toBeGreaterThan(20);
  expect(worker).toEqual(service);
});

test('the lines of docs/operations.md are those of the unit', async () => {
  const docs = await readFile(join(ROOT, 'docs/operations.md'), 'utf8');
  const [, block = ''] = /^```ini\n([\s\S]*?)^```$/m.exec(docs) ?? [];
  const unit = await readFile(unitPath('retouch.service'), 'utf8');
  const lines = block.trim().split('\n');
  expect(lines.length).toBeGreaterThan(3);
  for (const line of lines) expect(unit.split('\n')).toContain(line);
});
