/** What one of GraphiQL's tabs holds on a first visit. */
export interface ExampleOperation {
  readonly query: string;
  /** JSON. */
  readonly variables?: string;
}

const RESULT = `... on EditImagePayload {
      editJob {
        id
        status
        outputImages {
          id
          url
          width
          height
        }
        usage { totalTokens }
        cost { amount nominal }
        error { code message }
      }
    }
    ... on Error { message }`;

/** An edit of as many pictures as the Files panel is given. */
export function editOperation({ sandbox }: { sandbox: boolean }): ExampleOperation {
  return {
    query: `# Attach pictures in the Files panel
# (or drop or paste them), then run.
mutation Edit($input: EditImageInput!) {
  editImage(input: $input) {
    ${RESULT}
  }
}
`,
    variables: json({
      input: {
        images: [{ file: null }],
        prompt: 'make it autumn',
        // Each costs tokens, which the sandbox has for nothing.
        ...(sandbox && { partialImages: 2 }),
      },
    }),
  };
}

/** What the tabs hold on a first visit. */
export function exampleOperations(options: { sandbox: boolean }): ExampleOperation[] {
  const now = new Date();
  const monthAgo = new Date(now.getTime() - 30 * 24 * 3_600_000);
  const day = (date: Date) => `${date.toISOString().slice(0, 10)}T00:00:00Z`;
  const tomorrow = new Date(now.getTime() + 24 * 3_600_000);
  return [
    editOperation(options),
    {
      query: `# The mask says where to edit: paint
# it in the Files panel, or attach it.
mutation EditPart(
  $images: [ImageInput!]!
  $mask: ImageInput
  $prompt: String!
) {
  editImage(
    input: {
      images: $images
      mask: $mask
      prompt: $prompt
      size: "source"
    }
  ) {
    ${RESULT}
  }
}
`,
      variables: json({
        images: [{ file: null }],
        mask: { file: null },
        prompt: 'a hot-air balloon',
      }),
    },
    {
      query: `# Edits as they happen. The button
# that ran it stops it.
subscription Watch {
  editJobs {
    __typename
    ... on EditJobUpdate {
      editJob {
        id
        status
        prompt { text }
        outputImages { url }
      }
    }
    ... on EditJobPartialImageReceived {
      image { url }
    }
  }
}
`,
    },
    {
      query: `query History {
  editJobs(first: 10) {
    totalCount
    nodes {
      id
      status
      model
      createdAt
      durationMs
      prompt { text }
      inputImages { id url }
      outputImages { id url }
      usage { totalTokens }
      cost { amount nominal }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    },
    {
      query: `query Usage(
  $from: DateTime!
  $to: DateTime!
) {
  usage(
    from: $from
    to: $to
    groupBy: [DAY, MODEL]
    timeZone: "UTC"
  ) {
    totals {
      edits
      succeeded
      failed
      unresolved
      images
      totalTokens
      cost
      isCostComplete
    }
    buckets {
      date
      model
      totals {
        edits
        images
        totalTokens
        cost
      }
    }
    truncated
  }
}
`,
      variables: json({ from: day(monthAgo), to: day(tomorrow) }),
    },
  ];
}

function json(variables: object): string {
  return JSON.stringify(variables, null, 2);
}
