import { defineCommand } from 'citty';
import { readArguments } from './arguments.ts';

export function createStartCommand() {
  return defineCommand({
    meta: { name: 'retouch start', description: 'Start the service, as npm start does' },
    async run({ rawArgs }) {
      readArguments(rawArgs, {});
      // This process becomes the service. Where that is impossible, the service runs in it and ends it.
      await import('../app/start.ts');
      await new Promise<never>(() => {});
    },
  });
}
