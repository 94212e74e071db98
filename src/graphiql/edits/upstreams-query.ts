export const UPSTREAMS_QUERY = `query Upstreams {
  upstreams { name state pausedUntil reason }
}`;
