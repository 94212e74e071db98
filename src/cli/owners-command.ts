import { type ArgsDef, defineCommand } from 'citty';
import { readArguments } from './arguments.ts';
import type { Cli } from './cli.ts';
import { formatTable } from './table.ts';

const OWNER = {
  owner: { type: 'positional', required: true, description: 'Id of the owner' },
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
