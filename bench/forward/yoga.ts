import { createYoga } from 'graphql-yoga';
import { schema } from '../../src/schema/index.ts';
import { serveParent } from './probe.ts';

/** The service's schema behind Yoga as it is by default: no plugins, no limits, no log. */
await serveParent(createYoga({ schema, logging: false }));
