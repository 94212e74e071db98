import { type ArgsDef, defineCommand } from 'citty';
import { readArguments } from './arguments.ts';
import type { Cli } from './cli.ts';
import { formatTable } from './table.ts';

const OWNER = {
  owner: { type: 'positional', required: true, description: 'Id of the owner' },
} as const satisfies ArgsDef;

const ASSIGN = {
  from: {
    type: 'string',
    required: true,
    description: 'The owner that has the history, such as local',
    valueHint: 'id',
  },
  to: {
    type: 'string',
    required: true,
    description: 'The owner that gets it, who has none yet',
    valueHint: 'id',
  },
} as const satisfies ArgsDef;

const HEADINGS = ['OWNER', 'NAME', 'EDITS', 'DISABLED', 'FIRST REQUEST'] as const;

export function createOwnersCommand(cli: Cli) {
  const list = defineCommand({
    meta: { name: 'list', description: 'List all owners, with the edits in their history' },
    async run({ rawArgs }) {
      readArguments(rawArgs, {});
      const owners = await cli.run('listOwners', {});
      const rows = owners.map(({ id, name, edits, disabledAt, createdAt }) => [
        id,
        name,
        String(edits),
        disabledAt,
        createdAt,
      ]);
      cli.print(formatTable(HEADINGS, rows));
    },
  });

  const assign = defineCommand({
    meta: { name: 'assign', description: 'Move the whole history of an owner to another one' },
    args: ASSIGN,
    async run({ rawArgs }) {
      const args = readArguments(rawArgs, ASSIGN);
      const [from, to] = [args.required('from'), args.required('to')];
      const { edits, images } = await cli.run('assignHistory', { from, to });
      cli.note(`Assigned ${edits} edits and ${images} images of ${from} to ${to}.`);
      cli.note(`API keys of ${from} stay: they see none of these edits from now on.`);
    },
  });

  const setDisabled = (options: { name: string; description: string; disabled: boolean }) => {
    const { name, description, disabled } = options;
    return defineCommand({
      meta: { name, description },
      args: OWNER,
      async run({ rawArgs }) {
        const ownerId = readArguments(rawArgs, OWNER).required('owner');
        await cli.run('setOwnerDisabled', { ownerId, disabled });
        cli.note(`The owner ${ownerId} is ${disabled ? 'disabled' : 'enabled'}.`);
      },
    });
  };

  return defineCommand({
    meta: { name: 'retouch owners', description: 'Owners of edits' },
    subCommands: {
      list,
      assign,
      disable: setDisabled({
        name: 'disable',
        description: 'Reject all requests of an owner; running edits end as usual',
        disabled: true,
      }),
      enable: setDisabled({
        name: 'enable',
        description: 'Accept requests of an owner again',
        disabled: false,
      }),
    },
  });
}
