import { graphql } from './graphql.ts';

const job = graphql(`
  fragment Job on EditJob @_unmask {
    id
    status
    prompt {
      text
    }
    partialImages {
      id
      url
    }
    outputImages {
      id
      url
      thumbnailUrl
    }
    error {
      message
    }
  }
`);

export const EDIT = graphql(
  `
    mutation Edit($input: EditImageInput!) {
      editImage(input: $input) {
        ... on EditImagePayload {
          editJob {
            ...Job
          }
        }
        ... on Error {
          message
        }
      }
    }
  `,
  [job],
);

/** Begins with the edit as it stands, and ends with it. */
export const WATCH = graphql(
  `
    subscription Watch($id: ID!) {
      editJob(id: $id) {
        editJob {
          ...Job
        }
      }
    }
  `,
  [job],
);

export const HISTORY = graphql(
  `
    query History {
      editJobs(first: 12) {
        nodes {
          ...Job
        }
      }
    }
  `,
  [job],
);
