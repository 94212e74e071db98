import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { InlineImages } from '../../schema/inline-images.ts';
import { isAsyncIterable } from './async-iterable.ts';
import { insertBytes } from './insert-bytes.ts';

interface Context {
  readonly inlineImages: InlineImages;
  /** Absent if the result is sent over a WebSocket. */
  readonly res?: ServerResponse;
}

/**
 * Fills in the images that an operation returns as base64 after it was executed, over every
 * transport.
 */
export function useInlineImages(): Plugin<Context> {
  return {
    onExecute: ({ args }) => ({
      async onExecuteDone({ result, setResult }) {
        if (!isAsyncIterable(result)) setResult(await fill(args.contextValue, result));
      },
    }),
    onSubscribe: ({ args }) => ({
      onSubscribeResult: () => ({
        async onNext({ result, setResult }) {
          setResult(await fill(args.contextValue, result));
        },
      }),
    }),
  };
}

/**
 * Inserted into a response as bytes, because as strings in the result they would be in memory four
 * times.
 */
async function fill({ inlineImages, res }: Context, given: ExecutionResult) {
  const { result, base64 } = await inlineImages.read(given);
  if (base64.size === 0) return result;
  if (res === undefined) return { ...result, data: withStrings(result.data, base64) };
  insertBytes(res, base64);
  return result;
}

function withStrings<Value>(value: Value, base64: ReadonlyMap<string, Buffer>): Value {
  if (typeof value === 'string') return (base64.get(value)?.toString('latin1') ?? value) as Value;
  if (typeof value !== 'object' || value === null) return value;
  for (const [key, part] of Object.entries(value)) {
    Reflect.set(value, key, withStrings(part, base64));
  }
  return value;
}
