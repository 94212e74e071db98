import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { InlineImages } from '../schema/inline-images.ts';
import { isAsyncIterable } from './async-iterable.ts';

/** Fills the images in that an operation returns as base64, once it has run: over every transport. */
export function useInlineImages(): Plugin<{ inlineImages: InlineImages }> {
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

function fill(
  { inlineImages }: { inlineImages: InlineImages },
  result: ExecutionResult,
): Promise<ExecutionResult> {
  return inlineImages.fill(result);
}
