/** Operations that several suites send. */
export const EDIT = /* GraphQL */ `
  mutation Edit($input: EditImageInput!) {
    editImage(input: $input) {
      __typename
      ... on EditImagePayload { editJob { ...Job } }
      ... on Error { message }
      ... on InvalidInputError { field code problems { field code message } }
      ... on NotFoundError { resource id }
      ... on LimitExceededError {
        limitId measure limit used remaining resetsAt retryAfterSeconds
      }
    }
  }
  fragment Job on EditJob {
    id status model sandbox size resolvedSize n quality background outputFormat
    outputCompression inputFidelity moderation complexity extraParams metadata
    createdAt startedAt finishedAt durationMs
    prompt { id text }
    inputImages { id format width height bytes sha256 }
    mask { id width height }
    outputImages { id url thumbnailUrl format width height bytes sha256 }
    usage {
      totalTokens inputTokens outputTokens
      inputTokensDetails { textTokens imageTokens }
      outputTokensDetails { textTokens imageTokens }
      cachedInputTokens cachedInputTokensDetails { textTokens imageTokens }
    }
    upstreamResult { size quality background outputFormat revisedPrompt }
    cost { amount }
    error { code message retryable upstreamRequestId moderationDetails { stage categories } }
    upstream
    attempts { number state upstream httpStatus upstreamRequestId sentAt finishedAt durationMs }
  }
`;
