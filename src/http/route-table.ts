/**
 * The paths of an API, besides its health: one row for each. createApiRoutes has a handler for each
 * row, or does not compile; the tests of access have a row for each.
 */
export const ROUTES = {
  /** GraphiQL's page has the path of the API: browsers ask for HTML. */
  page: { path: /^\/graphql$/, access: 'OPEN', isHtml: true },
  asset: { path: /^\/graphiql\/assets\/([\w.-]{1,256})$/, access: 'OPEN' },
  root: { path: /^\/$/, access: 'OPEN' },
  graphql: { path: /^\/graphql$/, access: 'VIEWER' },
  subgraph: { path: /^\/graphql\/subgraph$/, access: 'VIEWER' },
  schema: { path: /^\/schema\.graphql$/, access: 'VIEWER' },
  upload: { path: /^\/images$/, access: 'VIEWER' },
  image: { path: /^\/images\/([\w-]{1,256})$/, access: 'VIEWER_OR_SIGNATURE' },
  exportEdits: { path: /^\/export\/edits$/, access: 'VIEWER' },
  // The OpenAI-compatible API.
  openaiEdits: { path: /^(?:\/openai)?\/v1\/images\/edits$/, access: 'VIEWER' },
  /** Azure's path names the model. */
  azureEdits: {
    path: /^\/openai\/deployments\/([^/]{1,300})\/images\/edits$/,
    access: 'VIEWER',
  },
  openaiModels: { path: /^(?:\/openai)?\/v1\/models$/, access: 'VIEWER' },
  openaiModel: { path: /^(?:\/openai)?\/v1\/models\/(.{1,300})$/, access: 'VIEWER' },
  /** The rest of that API, which is rejected in its own words. */
  openaiOther: { path: /^\/(?:openai|v1)(?:\/.*)?$/, access: 'VIEWER' },
} as const satisfies Record<string, RouteRow>;

interface RouteRow {
  /** The first group is the id of the object. */
  readonly path: RegExp;
  /** Who is served; a request for any other path needs a viewer, too. */
  readonly access: 'OPEN' | 'VIEWER' | 'VIEWER_OR_SIGNATURE';
  /** Only for a browser that wants to show it. */
  readonly isHtml?: true;
}

export type RouteName = keyof typeof ROUTES;

export type OpenRouteName = {
  [Name in RouteName]: (typeof ROUTES)[Name]['access'] extends 'OPEN' ? Name : never;
}[RouteName];

export type ViewerRouteName = Exclude<RouteName, OpenRouteName>;

export interface MatchedRoute {
  readonly name: RouteName;
  /** Empty for a path without one. */
  readonly id: string;
}

/** @param isPage Whether the request is for a page to show. Null: there is no such path. */
export function matchRoute(path: string, isPage: boolean): MatchedRoute | null {
  for (const [name, row] of ROWS) {
    const match = row.isHtml && !isPage ? null : row.path.exec(path);
    if (match !== null) return { name, id: match[1] ?? '' };
  }
  return null;
}

const ROWS = Object.entries(ROUTES) as [RouteName, RouteRow][];

export function isOpen(name: RouteName): name is OpenRouteName {
  return ROUTES[name].access === 'OPEN';
}
