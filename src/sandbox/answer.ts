import { CATALOGUE } from '../models/catalogue.ts';
import {
  inputImageTokens,
  outputImageTokens,
  PARTIAL_IMAGE_TOKENS,
} from '../models/image-tokens.ts';
import { findModel } from '../models/model-entry.ts';
import type { PixelSize } from '../models/sizes.ts';
import { outputTokens } from '../models/token-rules.ts';
import type { EditParams } from './edit-params.ts';
import type { Fault } from './faults.ts';
import type { EncodedImage } from './studio.ts';

/**
 * Parts of a body, written one after the other, so that an image's base64 is never copied into a
 * string.
 */
export type Chunks = readonly (string | Buffer)[];

export interface Usage {
  readonly total_tokens: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly input_tokens_details: { readonly text_tokens: number; readonly image_tokens: number };
}

/** The parameters that the API reports as actually used. */
export interface Facts {
  /** Seconds since 1970. */
  readonly created: number;
  readonly background: 'transparent' | 'opaque';
  readonly output_format: string;
  readonly quality: string;
  /** WIDTHxHEIGHT. */
  readonly size: string;
}

/** `auto` resolves to what the sandbox draws: opaque, and medium quality. */
export function factsOf(params: EditParams, size: PixelSize): Facts {
  return {
    created: Math.floor(Date.now() / 1_000),
    background: params.background === 'transparent' ? 'transparent' : 'opaque',
    output_format: params.outputFormat,
    quality: params.quality === 'auto' ? 'medium' : params.quality,
    size: `${size.width}x${size.height}`,
  };
}

/**
 * Input tokens by gpt-image-1's published formula, without the mask. Output tokens by the model's
 * own rule; without one, by gpt-image-1's, with `xhigh` and `max` counted as `high`.
 */
export function usageOf(
  params: EditParams,
  details: {
    textTokens: number;
    inputSizes: readonly PixelSize[];
    size: PixelSize;
    images: number;
    fault: Fault | null;
  },
): Usage {
  const times = details.fault?.kind === 'more_usage' ? details.fault.times : 1;
  const image = details.inputSizes.reduce(
    (sum, size) => sum + inputImageTokens(size, params.inputFidelity),
    0,
  );
  const perImage = imageTokens(params, details.size) + params.partialImages * PARTIAL_IMAGE_TOKENS;
  return usage(times * details.textTokens, times * image, times * perImage * details.images);
}

function imageTokens({ model, quality: asked }: EditParams, size: PixelSize): number {
  const quality = asked === 'auto' ? 'medium' : asked;
  const rule = findModel(CATALOGUE, model)?.tokens.output ?? null;
  const own = rule === null ? null : outputTokens(rule, size, quality);
  if (own !== null) return own.max;
  return outputImageTokens(size, quality === 'xhigh' || quality === 'max' ? 'high' : quality);
}

/** The share of a later image of a stream: no input, so that the shares add up to the whole. */
export function withoutInput(whole: Usage): Usage {
  return usage(0, 0, whole.output_tokens);
}

function usage(text: number, image: number, output: number): Usage {
  return {
    total_tokens: text + image + output,
    input_tokens: text + image,
    output_tokens: output,
    input_tokens_details: { text_tokens: text, image_tokens: image },
  };
}

/** One image as a member of a response: `"b64_json":"…"` or `"url":"…"`. */
export function imageMember(image: EncodedImage): Chunks {
  return ['"b64_json":"', image.base64, '"'];
}

export function member(name: 'b64_json' | 'url', value: string): Chunks {
  return [`${JSON.stringify(name)}:${JSON.stringify(value)}`];
}

/** The JSON response; `usage: null` omits it. */
export function jsonBody(facts: Facts, members: readonly Chunks[], usage: Usage | null): Chunks {
  const { created, background, ...used } = facts;
  const withDetails = usage && {
    ...usage,
    output_tokens_details: { image_tokens: usage.output_tokens, text_tokens: 0 },
  };
  const rest = JSON.stringify({ ...used, ...(withDetails && { usage: withDetails }) });
  return [
    `{"created":${created},"background":"${background}","data":[`,
    ...members.flatMap((one, index) => [index === 0 ? '{' : ',{', ...one, '}']),
    `],${rest.slice(1)}`,
  ];
}

/** One event of a stream, as in ImageEditPartialImageEvent and ImageEditCompletedEvent. */
export function streamEvent(
  facts: Facts,
  image: Chunks,
  event: { partialImageIndex: number } | { usage: Usage | null },
): Chunks {
  const partial = 'partialImageIndex' in event;
  const type = partial ? 'image_edit.partial_image' : 'image_edit.completed';
  const { created, ...used } = facts;
  const rest = JSON.stringify({
    created_at: created,
    ...used,
    ...(partial && { partial_image_index: event.partialImageIndex }),
    ...(!partial && event.usage && { usage: event.usage }),
  });
  return [`event: ${type}\ndata: {"type":"${type}",`, ...image, `,${rest.slice(1)}\n\n`];
}
