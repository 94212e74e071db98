/**
 * A page of edits with all that a gallery shows of them, written by hand as one statement. $1 is the
 * owner, $2 the length of the page.
 */
export const STATEMENT = `
  SELECT job.id, job.status::text, job.model, job."createdAt", job."durationMs", job.sandbox,
    prompt.id AS "promptId", prompt.text, usage."totalTokens", usage."inputTokens",
    usage."outputTokens", charge."amountMicroUsd"::text, charge."priceVersion", images.list AS images
  FROM (
    SELECT * FROM "EditJob" AS job WHERE job."ownerId" = $1 AND job."deletedAt" IS NULL
    ORDER BY job."createdAt" DESC, job.id DESC LIMIT $2::int
  ) AS job
  JOIN "Prompt" AS prompt ON prompt."ownerId" = job."ownerId" AND prompt.id = job."promptId"
  LEFT JOIN "TokenUsage" AS usage ON usage."jobId" = job.id
  LEFT JOIN "Charge" AS charge ON charge."jobId" = job.id AND charge."supersededAt" IS NULL
  LEFT JOIN LATERAL (
    SELECT json_agg(json_build_object('role', link.role, 'id', image.id, 'format', image.format,
      'width', image.width, 'height', image.height) ORDER BY link.position) AS list
    FROM "EditJobImage" AS link JOIN "Image" AS image ON image.id = link."imageId"
    WHERE link."jobId" = job.id
  ) AS images ON TRUE
  ORDER BY job."createdAt" DESC, job.id DESC`;

/** The same by GraphQL. */
export const QUERY = /* GraphQL */ `
  query Page($first: Int!) {
    editJobs(first: $first) {
      pageInfo { hasNextPage endCursor }
      edges {
        node {
          id status model createdAt durationMs
          prompt { id text }
          inputImages { id format width height url thumbnailUrl }
          outputImages { id format width height url thumbnailUrl }
          usage { totalTokens inputTokens outputTokens }
          cost { amount priceVersion }
        }
      }
    }
  }
`;
