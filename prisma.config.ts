import { defineConfig } from 'prisma-cli/config';

// `prisma generate` never runs the schema engine, yet the CLI downloads its binary first unless it
// is named here. Any existing file will do; migrations run in process (src/database/migrations.ts).
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= process.execPath;

export default defineConfig({ schema: 'prisma/schema.prisma' });
