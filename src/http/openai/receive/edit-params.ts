import type { EditParamsInput } from '../../../edits/input/parameters.ts';
import { type EnumParameter, PARAMETER_ROWS, type Parameter } from '../../../edits/parameters.ts';
import { InvalidInputError } from '../../../errors.ts';
import { type GivenValues, invalidValue } from './given-values.ts';
import type { Problems } from './problems.ts';

/** Names that have a meaning here, besides the parameters of an edit. */
const OWN_NAMES = ['stream', 'response_format', 'user', 'image', 'images', 'mask'];

const KNOWN_NAMES: ReadonlySet<string> = new Set([
  ...PARAMETER_ROWS.map(([, { wireName }]) => wireName),
  ...OWN_NAMES,
]);

/**
 * The parameters of an edit in the input shape of `Edits.create`, and whether the response is to be
 * an event stream. An invalid value is noted in `problems`, and is then as if not given.
 *
 * @param options.model The model of a request that names none. Null: the server's default.
 */
export function toEditParams(
  values: GivenValues,
  { model, problems }: { model: string | null; problems: Problems },
): { readonly params: EditParamsInput; readonly isStreamed: boolean } {
  const rows = PARAMETER_ROWS.map(([name, row]) => [
    name,
    problems.try(() => readParameter(values, row)),
  ]);
  const given: Partial<EditParamsInput> = Object.fromEntries(rows);
  const isStreamed = problems.try(() => values.boolean('stream')) ?? false;
  problems.try(() => checkResponseFormat(values));
  const user = problems.try(() => values.text('user'));
  const metadata = problems.try(() => values.metadata());
  return {
    isStreamed,
    params: {
      ...given,
      prompt: given.prompt ?? '',
      model: given.model ?? model,
      // Partial images exist in an event stream only; zero asks for none.
      partialImages: isStreamed ? given.partialImages || null : null,
      metadata: user === null ? metadata : { user, ...metadata },
      extraParams: problems.try(() => values.others(KNOWN_NAMES)),
    },
  };
}

function readParameter(values: GivenValues, row: Parameter): string | number | null {
  if (row.type === 'integer') return values.integer(row.wireName);
  const value = values.text(row.wireName);
  if (row.type === 'enum' && value !== null) checkEnum(row, value);
  return value;
}

/** As the enums of GraphQL do. What the model accepts is checked later. */
function checkEnum({ wireName, values }: EnumParameter, value: string): void {
  if (Object.hasOwn(values, value)) return;
  throw new InvalidInputError(
    wireName,
    'UNSUPPORTED_VALUE',
    `${wireName} must be one of ${Object.keys(values).join(', ')}; not ${JSON.stringify(value.slice(0, 64))}.`,
  );
}

function checkResponseFormat(values: GivenValues): void {
  const format = values.text('response_format');
  if (format === null || format === 'b64_json') return;
  if (format !== 'url') throw invalidValue('response_format', 'response_format must be b64_json.');
  throw new InvalidInputError(
    'response_format',
    'UNSUPPORTED_VALUE',
    'response_format url is not supported: images are returned as b64_json. Omit response_format.',
  );
}
