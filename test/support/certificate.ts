import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from './directory.ts';

const run = promisify(execFile);

/** A certificate of `localhost`, which this process trusts until the test ends. */
export async function trustedCertificate(openssl: string): Promise<{ cert: string; key: string }> {
  const dir = await temporaryDirectory();
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  await run(openssl, [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'],
    ...['-keyout', key, '-out', cert],
  ]);
  const before = getCACertificates();
  setDefaultCACertificates([...before, await readFile(cert, 'utf8')]);
  onTestFinished(() => setDefaultCACertificates(before));
  return { cert, key };
}
