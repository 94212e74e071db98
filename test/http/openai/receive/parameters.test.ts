import { describe, expect, test } from 'vitest';
import { checkEditParams, type EditParamsInput } from '../../../../src/edits/input/parameters.ts';
import { PARAMETER_ROWS } from '../../../../src/edits/parameters.ts';
import { InvalidInputError } from '../../../../src/errors.ts';
import { createKnownModels, createModels } from '../../../../src/models/models.ts';
import { receiveServer } from './receive-server.ts';

const models = createModels({ known: createKnownModels(), default: 'gpt-image-2', allowed: null });
const check = (edit: EditParamsInput) => checkEditParams(edit, models);

const fields = (values: readonly (readonly [string, string])[]) =>
  values.map(([name, content]) => ({ name, content }));

async function ofForm(values: readonly (readonly [string, string])[], options = {}) {
  return (await receiveServer(options)).form(fields(values));
}
async function ofJson(document: object | string, options = {}) {
  return (await receiveServer(options)).json(document);
}

/** A valid value of each parameter, as JSON has it. */
const SAMPLES: Record<string, string | number> = Object.fromEntries(
  PARAMETER_ROWS.map(([, row]) => [
    row.wireName,
    row.type === 'integer'
      ? row.min + 1
      : row.type === 'enum'
        ? (Object.keys(row.values)[0] ?? '')
        : 'text',
  ]),
);

describe('parameters', () => {
  test('have the names of the edits API, in forms and in JSON', async () => {
    const expected = Object.fromEntries(
      PARAMETER_ROWS.map(([name, { wireName }]) => [name, SAMPLES[wireName]]),
    );
    const streamed = { ...SAMPLES, stream: true };
    const form = await ofForm(Object.entries(streamed).map(([k, v]) => [k, String(v)]));
    const json = await ofJson(streamed);
    for (const { params, isStreamed } of [form, json]) {
      expect(params).toEqual({ ...expected, metadata: null, extraParams: null });
      expect(isStreamed).toBe(true);
    }
  });

  test('are not given if they are empty or null', async () => {
    const names = [...Object.keys(SAMPLES), 'user', 'stream', 'response_format', 'style'];
    const form = await ofForm(names.map((name) => [name, '']));
    const nulls = await ofJson(Object.fromEntries(names.map((name) => [name, null])));
    const texts = await ofJson(Object.fromEntries(names.map((name) => [name, ''])));
    const nothing = await ofJson({});
    for (const { params, isStreamed } of [form, nulls, texts, nothing]) {
      const given = Object.values(params).filter((value) => value !== null && value !== '');
      expect([given, isStreamed]).toEqual([[], false]);
    }
  });

  test.each(['2.5', 'abc', '1e3', '0x10', ' 2', '99999999999999', '٣'])(
    'that are integers are read strictly in a form: %s',
    async (n) => {
      const { status, problems } = await ofForm([['n', n]]);
      expect(status).toBe(400);
      expect(problems).toMatchObject([{ field: 'n', code: 'INVALID_VALUE' }]);
    },
  );

  test.each([2.5, '2', true, [2], {}, 1e300])(
    'that are integers are read strictly in JSON: %j',
    async (n) => {
      expect((await ofJson({ n })).problems).toMatchObject([{ field: 'n' }]);
    },
  );

  test('of a wrong type are refused in JSON, all at once', async () => {
    const { problems } = await ofJson({
      prompt: ['p'],
      size: 1024,
      quality: true,
      stream: 'true',
      metadata: ['x'],
      user: 5,
    });
    expect(problems.map(({ field }) => field)).toEqual([
      'prompt',
      'size',
      'quality',
      'stream',
      'user',
      'metadata',
    ]);
  });

  test.each(['constructor', 'PNG', 'gif', 'toString'])(
    'that are one of several values are refused otherwise: %s',
    async (format) => {
      const { problems } = await ofForm([['output_format', format]]);
      expect(problems).toMatchObject([{ field: 'output_format', code: 'UNSUPPORTED_VALUE' }]);
    },
  );

  test('may be repeated with the same value, and not with another', async () => {
    const [same, other] = [
      await ofForm([
        ['size', 'auto'],
        ['size', 'auto'],
      ]),
      await ofForm([
        ['size', 'auto'],
        ['size', '1024x1024'],
      ]),
    ];
    expect(same.params['size']).toBe('auto');
    expect(other.problems).toMatchObject([{ field: 'size', code: 'INVALID_VALUE' }]);
  });

  test('have a model of the deployment unless they name one', async () => {
    const model = 'deployed';
    expect((await ofForm([['prompt', 'p']], { model })).params['model']).toBe('deployed');
    expect((await ofForm([['model', 'own']], { model })).params['model']).toBe('own');
  });
});

describe('partial_images', () => {
  test.each<[string[], unknown]>([
    [['stream', 'true', 'partial_images', '2'], 2],
    [['stream', 'true', 'partial_images', '0'], null],
    [['stream', 'false', 'partial_images', '2'], null],
    [['partial_images', '2'], null],
  ])('exist in a stream only: %j', async ([a = '', b = '', c = 'prompt', d = 'p'], expected) => {
    const { params } = await ofForm([
      [a, b],
      [c, d],
    ]);
    expect(params['partialImages']).toBe(expected);
  });
});

describe('response_format', () => {
  test('may be b64_json, which is sent anyway', async () => {
    const { status, params } = await ofForm([['response_format', 'b64_json']]);
    expect([status, params['extraParams']]).toEqual([200, null]);
  });

  test('cannot be url', async () => {
    for (const response of [
      await ofForm([['response_format', 'url']]),
      await ofJson({ response_format: 'url' }),
    ]) {
      expect(response.problems).toMatchObject([
        { field: 'response_format', code: 'UNSUPPORTED_VALUE' },
      ]);
    }
  });
});

describe('metadata', () => {
  test('has the user, and the keys in brackets of a form', async () => {
    const { params } = await ofForm([
      ['user', 'u-1'],
      ['metadata[project]', 'spring'],
      ['metadata[empty]', ''],
      ['metadata[__proto__]', 'x'],
    ]);
    expect(JSON.stringify(params['metadata'])).toBe(
      '{"user":"u-1","project":"spring","empty":"","__proto__":"x"}',
    );
  });

  test('is an object in JSON', async () => {
    const { params } = await ofJson('{"user":"u","metadata":{"a":1,"b":null,"__proto__":true}}');
    expect(JSON.stringify(params['metadata'])).toBe('{"user":"u","a":1,"__proto__":true}');
  });

  test.each(['metadata', 'metadata[a][b]', 'metadata[a', 'metadata[]x'])(
    'has no other form: %s',
    async (name) => {
      expect((await ofForm([[name, 'x']])).problems).toMatchObject([{ field: name }]);
    },
  );
});

describe('other fields', () => {
  test('are extra parameters under their names, lists if repeated', async () => {
    const { params } = await ofForm([
      ['style[mode]', 'x'],
      ['tags[]', 'one'],
      ['seed', '1'],
      ['lora', 'a'],
      ['lora', 'b'],
    ]);
    expect(params['extraParams']).toEqual({
      'style[mode]': 'x',
      'tags[]': ['one'],
      seed: '1',
      lora: ['a', 'b'],
    });
  });

  test('are extra parameters in JSON, as they are', async () => {
    const extra = { style: { mode: 'x', deep: [1, null] }, seed: 1, 'tags[]': ['a'], off: false };
    expect((await ofJson({ ...extra, none: null })).params['extraParams']).toEqual(extra);
  });

  test('of hostile names reach no prototype, and are refused by the check', async () => {
    for (const name of ['__proto__', 'constructor[prototype]', '__proto__[x]']) {
      const received = [
        await ofForm(
          [
            ['prompt', 'p'],
            [name, 'x'],
          ],
          { check },
        ),
        await ofJson(`{"prompt":"p","${name}":{"x":1}}`, { check }),
      ];
      for (const { status, problems } of received) {
        if (name.startsWith('__')) expect(problems).toMatchObject([{ field: name }]);
        else expect(status).toBe(200);
      }
    }
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });
});

describe('the problems that a further check finds', () => {
  test('are reported with the others, by the names of the request', async () => {
    const { problems } = await ofForm(
      [
        ['n', 'x'],
        ['output_compression', '50'],
        ['metadata[a]', 'x'.repeat(600)],
        ['bad name', 'x'],
      ],
      { check },
    );
    expect(problems.map(({ field }) => field)).toEqual([
      'n',
      'prompt',
      'output_compression',
      'bad name',
      'metadata[a]',
    ]);
    expect(problems[2]?.message).toBe('output_compression requires output_format JPEG or WEBP.');
  });

  test('do not repeat a field', async () => {
    const { problems } = await ofJson({ prompt: 5 }, { check });
    expect(problems.map(({ field }) => field)).toEqual(['prompt']);
  });

  test('are named as the images of the request', async () => {
    const failing = () => {
      throw new InvalidInputError('images[2]', 'TOO_LARGE', 'images[2] is too large.');
    };
    expect((await ofForm([['prompt', 'p']], { check: failing })).problems).toEqual([
      { field: 'image[2]', code: 'TOO_LARGE', message: 'image[2] is too large.' },
    ]);
    expect((await ofJson({ prompt: 'p' }, { check: failing })).problems).toMatchObject([
      { field: 'images[2]' },
    ]);
  });
});
