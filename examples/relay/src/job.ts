import { graphql } from 'react-relay';

/** What is shown of an edit. */
export const JOB = graphql`
  fragment job on EditJob {
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
`;
