const JOB = `{
  id
  status
  prompt { text }
  partialImages { url }
  outputImages { url thumbnailUrl }
  error { message }
}`;
export const EDIT = `mutation ($input: EditImageInput!) {
  editImage(input: $input) { ... on EditImagePayload { editJob { id } } ... on Error { message } }
}`;
export const WATCH = `subscription ($id: ID!) { editJob(id: $id) { editJob ${JOB} } }`;
export const HISTORY = `{ editJobs(first: 12) { nodes ${JOB} } }`;
