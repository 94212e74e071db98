/** What GraphiQL's tabs hold on a first visit. */
export function exampleOperations({ sandbox }: { sandbox: boolean }) {
  const notice = sandbox
    ? `# THE SANDBOX IS ON: pictures are made by a built-in stand-in, not by a model, and cost nothing.
# Set EDITS_API_URL and EDITS_API_KEY to use a real edits API.
`
    : '';
  return [
    {
      query: `${notice}# Edit a stored picture again. Get an id from the history in the next tab, or upload a file
# with curl: see the README.
mutation Edit($image: ID!, $prompt: String!) {
  editImage(input: { images: [{ id: $image }], prompt: $prompt }) {
    ... on EditImagePayload {
      editJob { id status outputImages { id url width height } usage { totalTokens } error { code message } }
    }
    ... on Error { message }
  }
}
`,
      variables: JSON.stringify({ image: '', prompt: 'make it autumn' }, null, 2),
    },
    {
      query: `${notice}query History {
  editJobs(first: 10) {
    totalCount
    edges {
      node {
        id status model sandbox createdAt durationMs
        prompt { text }
        inputImages { id url }
        outputImages { id url thumbnailUrl width height }
        usage { totalTokens inputTokens outputTokens }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    },
    {
      query: `${notice}query Usage($from: DateTime!, $to: DateTime!) {
  usage(from: $from, to: $to, groupBy: [DAY, MODEL], timeZone: "UTC") {
    totals { edits succeeded failed unresolved images totalTokens cost isCostComplete }
    buckets { date model edits images totalTokens cost }
    truncated
  }
}
`,
      variables: JSON.stringify(
        { from: '2026-01-01T00:00:00Z', to: '2036-01-01T00:00:00Z' },
        null,
        2,
      ),
    },
  ];
}
