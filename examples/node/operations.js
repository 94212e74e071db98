import { graphql } from 'gql.tada';

export const EDIT = graphql(`
  mutation Edit($input: EditImageInput!) {
    editImage(input: $input) {
      ... on EditImagePayload {
        editJob {
          id
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

/** Begins with the edit as it stands, and ends with it. */
export const WATCH = graphql(`
  subscription Watch($id: ID!) {
    editJob(id: $id) {
      ... on EditJobPartialImageReceived {
        image {
          url
        }
      }
      editJob {
        status
        outputImages {
          url
        }
        usage {
          totalTokens
        }
        error {
          message
        }
      }
    }
  }
`);

export const HISTORY = graphql(`
  query History {
    editJobs(first: 12) {
      nodes {
        createdAt
        status
        prompt {
          text
        }
      }
    }
  }
`);
