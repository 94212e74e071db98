/** A tab of GraphiQL on the first visit. */
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

/** An edit of all images in the Files panel. */
export function editOperation({ sandbox }: { sandbox: boolean }): ExampleOperation {
  return {
    query: `# Attach images in the Files panel
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
        // Partial images cost tokens, which are free in the sandbox.
        ...(sandbox && { partialImages: 2 }),
      },
    }),
  };
}

/** The tabs on the first visit. */
export function exampleOperations(options: { sandbox: boolean }): ExampleOperation[] {
  const now = new Date();
  const monthAgo = new Date(now.getTime() - 30 * 24 * 3_600_000);
  const day = (date: Date) => `${date.toISOString().slice(0, 10)}T00:00:00Z`;
  const tomorrow = new Date(now.getTime() + 24 * 3_600_000);
  return [
    editOperation(options),
    {
      query: `# The mask marks what to edit: paint
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
      query: `# Live progress of your edits. Click
# the run button again to stop.
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
