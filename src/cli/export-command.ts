import { open } from 'node:fs/promises';
import { type ArgsDef, defineCommand } from 'citty';
import { LOCAL_VIEWER } from '../auth/viewer.ts';
import { loadConfig } from '../config/config.ts';
import { readArguments } from './arguments.ts';
import type { Cli } from './cli.ts';
import { ValueError } from './usage-error.ts';

const FORMATS = ['ndjson', 'csv'] as const;

const EXPORT = {
  owner: {
    type: 'string',
    description: 'The owner of the history. By default local',
    valueHint: 'id',
  },
  format: { type: 'string', description: 'By default ndjson', valueHint: FORMATS.join('|') },
  output: {
    type: 'string',
    description: 'A new file. By default standard output',
    valueHint: 'file',
  },
  filter: { type: 'string', description: 'As in editJobs, as JSON', valueHint: 'json' },
  search: { type: 'string', description: 'Text that the prompts contain', valueHint: 'text' },
  order: { type: 'string', description: 'As orderBy in editJobs, as JSON', valueHint: 'json' },
  url: {
    type: 'string',
    description: 'Base of the URLs of images. By default PUBLIC_URL, or this machine',
    valueHint: 'https://…',
  },
} as const satisfies ArgsDef;

export function createExportCommand(cli: Cli) {
  return defineCommand({
    meta: { name: 'export', description: 'Write the history of an owner as NDJSON or CSV' },
    args: EXPORT,
    async run({ rawArgs }) {
      const args = readArguments(rawArgs, EXPORT);
      const { publicUrl, port, prefix } = loadConfig(cli.env).http;
      const output = args.optional('output');
      const input = {
        ownerId: args.optional('owner') ?? LOCAL_VIEWER.ownerId,
        format: readFormat(args.optional('format') ?? 'ndjson'),
        filter: args.optional('filter'),
        search: args.optional('search'),
        orderBy: args.optional('order'),
        baseUrl: args.optional('url') ?? publicUrl ?? `http://localhost:${port}${prefix}`,
      };
      const edits = output === null ? await toStdout(input) : await toFile(input, output);
      cli.note(`Exported ${edits} edits.`);
    },
  });

  async function toStdout(input: Parameters<typeof cli.run<'exportEdits'>>[1]) {
    return (await cli.run('exportEdits', input)).edits;
  }

  async function toFile(input: Parameters<typeof toStdout>[0], path: string) {
    const handle = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      throw new ValueError(`${path} cannot be created (${error.code}).`);
    });
    try {
      const write = async (text: string) => void (await handle.writeFile(text));
      return (await cli.run('exportEdits', input, { write })).edits;
    } finally {
      await handle.close();
    }
  }
}

function readFormat(text: string): (typeof FORMATS)[number] {
  const format = FORMATS.find((one) => one === text);
  if (format !== undefined) return format;
  throw new ValueError(`--format must be ${FORMATS.join(' or ')}, not ${JSON.stringify(text)}.`);
}
