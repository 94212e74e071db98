import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';

/** Widths and heights that a model takes. */
export type ModelSizes =
  | { readonly kind: 'listed'; readonly sizes: readonly string[] }
  | {
      readonly kind: 'flexible';
      /** Both edges are multiples of this, in pixels. */
      readonly multipleOf: number;
      /** Longest edge over shortest edge, at most. */
      readonly maxRatio: number;
      readonly maxLongEdge: number;
      readonly maxShortEdge: number;
    };

/** What is known of a model. A null means: not known, so not checked. */
export interface EditModel {
  readonly id: string;
  /** In this server's table; an unknown model is forwarded with only the server's own limits. */
  readonly known: boolean;
  readonly sizes: ModelSizes | null;
  readonly autoSize: boolean;
  readonly qualities: readonly string[] | null;
  readonly backgrounds: readonly string[] | null;
  readonly outputFormats: readonly string[] | null;
  readonly inputFidelities: readonly string[] | null;
  readonly maxImages: number;
  readonly maxImageBytes: number | null;
  readonly maxMaskBytes: number;
  readonly maxN: number;
  /** Pictures on the way, per output; 0: it does not stream. */
  readonly maxPartialImages: number;
  readonly maxPromptCharacters: number;
}

const MIB = 1024 * 1024;

/** What holds for any model: the edits API's documented limits, and this server's protection. */
const UNKNOWN = {
  sizes: null,
  autoSize: true,
  qualities: null,
  backgrounds: null,
  outputFormats: null,
  inputFidelities: null,
  maxImages: 16,
  maxImageBytes: null,
  maxMaskBytes: 4 * MIB,
  maxN: 10,
  maxPartialImages: 3,
  maxPromptCharacters: 32_000,
} satisfies Omit<EditModel, 'id' | 'known'>;

const GPT_IMAGE_1 = {
  ...UNKNOWN,
  sizes: { kind: 'listed', sizes: ['1024x1024', '1536x1024', '1024x1536'] },
  qualities: ['low', 'medium', 'high', 'auto'],
  backgrounds: ['transparent', 'opaque', 'auto'],
  outputFormats: ['png', 'jpeg', 'webp'],
  inputFidelities: ['low', 'high'],
  maxImageBytes: 50 * MIB,
} satisfies Omit<EditModel, 'id' | 'known'>;

const GPT_IMAGE_2 = {
  ...GPT_IMAGE_1,
  sizes: { kind: 'flexible', multipleOf: 16, maxRatio: 3, maxLongEdge: 3840, maxShortEdge: 2160 },
  qualities: null,
} satisfies Omit<EditModel, 'id' | 'known'>;

/**
 * The models of the official edits API. It retires them over time; compatible servers keep them,
 * so none is refused for its age.
 * @see https://platform.openai.com/docs/guides/image-generation
 */
const BUILT_IN: readonly EditModel[] = [
  { id: 'gpt-image-1', known: true, ...GPT_IMAGE_1 },
  { id: 'gpt-image-1-mini', known: true, ...GPT_IMAGE_1 },
  { id: 'gpt-image-1.5', known: true, ...GPT_IMAGE_1 },
  { id: 'chatgpt-image-latest', known: true, ...GPT_IMAGE_1 },
  { id: 'gpt-image-2', known: true, ...GPT_IMAGE_2 },
];

const words = z.array(z.string().min(1)).min(1);
const sizesSchema = z.union([
  z.array(z.string().regex(/^[1-9]\d{1,4}x[1-9]\d{1,4}$/)).min(1),
  z.strictObject({
    multipleOf: z.int().min(1),
    maxRatio: z.number().min(1),
    maxLongEdge: z.int().min(16),
    maxShortEdge: z.int().min(16),
  }),
]);
const fileSchema = z.array(
  z.strictObject({
    id: z.string().min(1),
    /** A known model whose values the entry starts from. */
    like: z.string().optional(),
    sizes: sizesSchema.optional(),
    autoSize: z.boolean().optional(),
    qualities: words.optional(),
    backgrounds: words.optional(),
    outputFormats: words.optional(),
    inputFidelities: words.optional(),
    maxImages: z.int().min(1).max(16).optional(),
    maxImageBytes: z.int().min(1).optional(),
    maxMaskBytes: z.int().min(1).optional(),
    maxN: z.int().min(1).max(10).optional(),
    maxPartialImages: z.int().min(0).max(3).optional(),
    maxPromptCharacters: z.int().min(1).max(32_000).optional(),
  }),
);

export interface Models {
  readonly default: string;
  /** Null: any model may be asked for. */
  readonly allowed: readonly string[] | null;
  /** Known models that may be asked for. */
  list(): readonly EditModel[];
  /** What is known of a model; an unknown one gets the limits that hold for any. */
  get(id: string): EditModel;
}

export function createModels(options: {
  default: string;
  allowed: readonly string[] | null;
  overrides?: readonly EditModel[];
}): Models {
  const known = new Map(
    [...BUILT_IN, ...(options.overrides ?? [])].map((model) => [model.id, model]),
  );
  return {
    default: options.default,
    allowed: options.allowed,
    list: () => [...known.values()].filter((model) => options.allowed?.includes(model.id) ?? true),
    get: (id) => known.get(id) ?? { id, known: false, ...UNKNOWN },
  };
}

/**
 * Reads MODELS_FILE: an array of models, each naming what differs from the model it is `like`.
 * @throws ConfigError when the file cannot be read or has another shape.
 */
export async function readModelsFile(path: string): Promise<readonly EditModel[]> {
  let entries: z.infer<typeof fileSchema>;
  try {
    entries = fileSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ConfigError([`MODELS_FILE ${JSON.stringify(path)}: ${reason}`]);
  }
  const read = new Map<string, EditModel>(BUILT_IN.map((model) => [model.id, model]));
  return entries.map(({ id, like, sizes, ...rest }) => {
    const base = read.get(like ?? id);
    if (like !== undefined && base === undefined) {
      throw new ConfigError([
        `MODELS_FILE: model ${JSON.stringify(id)} is like ${JSON.stringify(like)}, which is not known.`,
      ]);
    }
    const model: EditModel = {
      ...(base ?? UNKNOWN),
      ...rest,
      ...readSizes(sizes),
      id,
      known: true,
    };
    read.set(id, model);
    return model;
  });
}

function readSizes(sizes: z.infer<typeof sizesSchema> | undefined): { sizes?: ModelSizes } {
  if (sizes === undefined) return {};
  if (Array.isArray(sizes)) return { sizes: { kind: 'listed', sizes } };
  return { sizes: { kind: 'flexible', ...sizes } };
}
