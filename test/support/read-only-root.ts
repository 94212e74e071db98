import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { ROOT } from './overlays.ts';

/** Where a container has what, with the user and the groups of Kubernetes' securityContext. */
export interface Container {
  readonly uid: number;
  readonly gid: number;
  /** Of this checkout, which is also the working directory. */
  readonly app: string;
  /** Directories that can be written to, by their paths in the container. */
  readonly writable: readonly string[];
}

/** Whether this user may make another root directory. */
export function canChangeRoot(): boolean {
  if (process.getuid?.() !== 0) return false;
  if (['unshare', 'chroot', 'setpriv', 'mount'].some((name) => !findProgram(name))) return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

/**
 * A command line that runs another one in a root directory of its own, of which only `writable` can
 * be written to, without root's rights. Everything goes with the process.
 * @param dir What is written is here, in `root` and by the names of the directories.
 */
export async function inContainer(dir: string, { uid, gid, app, writable }: Container) {
  const root = join(dir, 'root');
  await mkdir(root);
  for (const path of writable) await mkdir(join(dir, path), { recursive: true });
  const system = ['/usr', '/bin', '/lib', '/lib64', '/etc'];
  const script = [
    'set -e',
    `mount -t tmpfs tmpfs ${root}`,
    ...[app, '/dev', '/proc', ...system, ...writable].map((path) => `mkdir -p ${root}${path}`),
    ...system.map((path) => `[ ! -e ${path} ] || mount --bind ${path} ${root}${path}`),
    ...['/dev', '/proc'].map((path) => `mount --rbind ${path} ${root}${path}`),
    `mount --bind ${ROOT} ${root}${app}`,
    ...writable.flatMap((path) => [
      `chown ${uid}:${gid} ${dir}${path}`,
      `mount --bind ${dir}${path} ${root}${path}`,
    ]),
    ...[app, ...system, ''].map(
      (path) => `[ ! -e ${root}${path} ] || mount -o remount,bind,ro ${root}${path}`,
    ),
    `exec chroot ${root} setpriv --reuid ${uid} --regid ${gid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all -- /bin/sh -c 'cd ${app} && exec "$@"' sh "$@"`,
  ];
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script.join('\n'), 'sh'];
}
