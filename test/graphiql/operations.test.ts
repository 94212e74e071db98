import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSchema, graphqlSync, Kind, parse, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { PARAMETERS } from '../../src/edits/parameters.ts';
import {
  EDITS_BY_ID_QUERY,
  EDITS_QUERY,
  EDITS_SUBSCRIPTION,
} from '../../src/graphiql/edits/edit.ts';
import { EDIT_COMMANDS } from '../../src/graphiql/edits/edit-commands.ts';
import {
  AGAIN_MUTATION,
  editInputQuery,
  PARAMETERS_QUERY,
  type ParameterTypes,
  parameterNames,
} from '../../src/graphiql/edits/edit-operation.ts';
import { UPSTREAMS_QUERY } from '../../src/graphiql/edits/upstreams-query.ts';
import { exampleOperations } from '../../src/graphiql/examples.ts';
import { VIEWER_QUERY } from '../../src/graphiql/transport/viewer.ts';
import { USAGE_QUERY } from '../../src/graphiql/usage/usage-query.ts';
import { MODELS_QUERY } from '../../src/graphiql/workbench/model-notice.ts';

const schema = buildSchema(
  await readFile(join(import.meta.dirname, '../../schema.graphql'), 'utf8'),
);

describe.each([true, false])('the examples, sandbox: %s', (sandbox) => {
  test.each(
    exampleOperations({ sandbox }).map(({ query, variables = '{}' }) => [query, variables]),
  )('fit the schema: %s', (query, variables) => {
    const document = parse(query);
    expect(validate(schema, document)).toEqual([]);
    const [operation] = document.definitions;
    const declared =
      operation?.kind === Kind.OPERATION_DEFINITION ? operation.variableDefinitions : [];
    const names = declared?.map(({ variable }) => variable.name.value) ?? [];
    // One may be left out, such as an optional mask.
    for (const name of Object.keys(JSON.parse(variables))) expect(names).toContain(name);
  });
});

const OWN = [
  EDITS_QUERY,
  EDITS_BY_ID_QUERY,
  EDITS_SUBSCRIPTION,
  USAGE_QUERY,
  UPSTREAMS_QUERY,
  MODELS_QUERY,
  VIEWER_QUERY,
  PARAMETERS_QUERY,
  AGAIN_MUTATION,
  ...Object.values(EDIT_COMMANDS),
];

test.each(OWN)('the page’s own: %s', (query) => {
  expect(validate(schema, parse(query))).toEqual([]);
});

test('an edit is repeated with every parameter of the edits API', () => {
  const { data } = graphqlSync({ schema, source: PARAMETERS_QUERY });
  const names = parameterNames(data as unknown as ParameterTypes);
  // The page reads and sends these two by other names.
  const { prompt: _, partialImages: __, ...same } = PARAMETERS;
  expect(names.toSorted()).toEqual([...Object.keys(same), 'extraParams', 'metadata'].toSorted());
  expect(validate(schema, parse(editInputQuery(names)))).toEqual([]);
});
