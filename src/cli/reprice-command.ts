import { type ArgsDef, defineCommand } from 'citty';
import { readArguments } from './arguments.ts';
import type { Cli } from './cli.ts';
import { readTime } from './values.ts';

const REPRICE = {
  from: {
    type: 'string',
    description: 'Only edits submitted at this time or later',
    valueHint: '2027-01-01',
  },
  to: { type: 'string', description: 'Only edits submitted before', valueHint: '2027-02-01' },
  model: { type: 'string', description: 'Only edits of this model', valueHint: 'id' },
} as const satisfies ArgsDef;

export function createRepriceCommand(cli: Cli) {
  return defineCommand({
    meta: { name: 'reprice', description: 'Recompute the cost of edits by the current prices' },
    args: REPRICE,
    async run({ rawArgs }) {
      const args = readArguments(rawArgs, REPRICE);
      const time = (name: string) => {
        const text = args.optional(name);
        return text === null ? null : readTime(`--${name}`, text);
      };
      const { examined, repriced, unchanged, unknown } = await cli.run('reprice', {
        from: time('from'),
        to: time('to'),
        model: args.optional('model'),
      });
      cli.note(`Repriced ${repriced} of ${examined} edits; ${unchanged} are unchanged.`);
      if (unknown > 0) {
        cli.note(`${unknown} edits have a model without prices; their cost stays as it is.`);
      }
    },
  });
}
