/**
 * Names of the GenAI semantic conventions, https://opentelemetry.io/docs/specs/semconv/gen-ai/, and
 * of HTTP's, in one place: those of GenAI are in development and may change. They have no operation
 * for images, so `edit_image` is ours, as the conventions allow. No prompt and no image is an attribute.
 */
export const OPERATION = 'edit_image';

export const ATTRIBUTE = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  choiceCount: 'gen_ai.request.choice.count',
  outputType: 'gen_ai.output.type',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  errorType: 'error.type',
  serverAddress: 'server.address',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  graphqlOperationName: 'graphql.operation.name',
  graphqlOperationType: 'graphql.operation.type',
  requestId: 'retouch.request.id',
  editId: 'retouch.edit.id',
  editAttempt: 'retouch.edit.attempt',
  upstream: 'retouch.upstream',
  upstreamRequestId: 'retouch.upstream.request_id',
} as const;
