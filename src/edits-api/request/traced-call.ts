import { ATTRIBUTE, OPERATION } from '../../telemetry/gen-ai-names.ts';
import type { Traces } from '../../telemetry/traces.ts';
import type { EditsApiAnswer, EditsApiRequest } from '../edits-api.ts';
import { EditsApiError } from '../edits-api-error.ts';

/** Makes a call in a span of the GenAI conventions, from the POST to the last byte of the response. */
export function traceCall(
  traces: Traces,
  endpoint: URL,
  request: EditsApiRequest,
  call: () => Promise<EditsApiAnswer>,
): Promise<EditsApiAnswer> {
  if (!traces.isOn) return call();
  const field = (name: string) => request.fields.find(([key]) => key === name)?.[1];
  const model = field('model');
  const attributes = {
    [ATTRIBUTE.operation]: OPERATION,
    [ATTRIBUTE.provider]: providerOf(endpoint),
    [ATTRIBUTE.requestModel]: model,
    [ATTRIBUTE.choiceCount]: Number(field('n') ?? 1),
    [ATTRIBUTE.outputType]: 'image',
    [ATTRIBUTE.serverAddress]: endpoint.hostname,
  };
  const name = model ? `${OPERATION} ${model}` : OPERATION;
  return traces.span(name, { kind: 'CLIENT', attributes }, async (span) => {
    try {
      const answer = await call();
      span.set({
        [ATTRIBUTE.httpStatus]: answer.httpStatus,
        [ATTRIBUTE.upstreamRequestId]: answer.upstreamRequestId ?? undefined,
        ...tokensOf(answer.body.usage),
      });
      return answer;
    } catch (error) {
      if (error instanceof EditsApiError) {
        span.set({
          [ATTRIBUTE.httpStatus]: error.httpStatus ?? undefined,
          [ATTRIBUTE.upstreamRequestId]: error.upstreamRequestId ?? undefined,
        });
        span.fail(error.code);
      }
      throw error;
    }
  });
}

/** As the conventions name it, or the host of another server. */
function providerOf({ hostname }: URL): string {
  if (hostname === 'api.openai.com') return 'openai';
  return /\.azure\.com$/i.test(hostname) ? 'azure.ai.openai' : hostname;
}

function tokensOf(usage: unknown) {
  const of = (name: 'input_tokens' | 'output_tokens') => {
    const value: unknown = (usage as Record<string, unknown> | null | undefined)?.[name];
    return typeof value === 'number' ? value : undefined;
  };
  return {
    [ATTRIBUTE.inputTokens]: of('input_tokens'),
    [ATTRIBUTE.outputTokens]: of('output_tokens'),
  };
}
