import { startApp } from '../../src/app/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/log.ts';
import { answerParent } from './probe.ts';

/**
 * The service as `npm start` runs it, in a process of its own that can be asked about itself. Its
 * configuration is the first argument, environment variables as JSON.
 */
const config = loadConfig(JSON.parse(process.argv[2] ?? '{}'));
const app = await startApp({ config, log: createLog({ level: config.logLevel }) });
answerParent({ url: app.url, stop: () => app.stop() });
