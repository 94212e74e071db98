import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

/**
 * For `--import`: writes the name of each package to the file in LOADED_PACKAGES when the process
 * first loads a module of it.
 */
const file = process.env['LOADED_PACKAGES'];
const loaded = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const name = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
    if (file !== undefined && name !== undefined && !loaded.has(name)) {
      loaded.add(name);
      appendFileSync(file, `${name}\n`);
    }
    return nextLoad(url, context);
  },
});
