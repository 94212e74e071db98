import type { AuthSettings } from './auth-settings.ts';
import type { Environment, SettingName, SettingValues } from './settings.ts';

export function readAuth(values: SettingValues): AuthSettings {
  const { AUTH_JWT_ISSUER: issuer, AUTH_JWT_AUDIENCE: audience, AUTH_HEADER: name } = values;
  const { AUTH_JWT_JWKS_URL: jwksUrl, AUTH_JWT_PUBLIC_KEY: key } = values;
  const scopes = values.AUTH_JWT_SCOPES ?? [];
  const one = issuer !== undefined &&
    audience !== undefined && {
      issuer,
      audience,
      keys: jwksUrl === undefined ? { publicKey: key ?? '' } : { jwksUrl },
      algorithms: values.AUTH_JWT_ALGORITHMS ?? [],
      scopeClaim: values.AUTH_JWT_SCOPE_CLAIM ?? '',
      scopes,
    };
  return {
    apiKeys: values.AUTH_API_KEYS ?? false,
    issuers: one ? [one] : [],
    issuersFile: values.AUTH_JWT_FILE ?? null,
    header: name === undefined ? null : { name, scopes: values.AUTH_HEADER_SCOPES ?? [] },
  };
}

/** The variables that turn authentication on. */
export function authMethods(env: Environment): readonly string[] {
  const methods = ['AUTH_JWT_ISSUER', 'AUTH_JWT_FILE', 'AUTH_HEADER'].filter((name) => env[name]);
  return env['AUTH_API_KEYS']?.trim() === 'true' ? ['AUTH_API_KEYS', ...methods] : methods;
}

/** Problems between the variables of authentication. */
export function* authProblems(values: SettingValues, env: Environment): Generator<string> {
  const isSet = (name: SettingName) => Boolean(env[name]);
  const [method] = authMethods(env);
  if (method !== undefined && values.ALLOW_ANONYMOUS === true) {
    yield `ALLOW_ANONYMOUS is true but ${method} turns authentication on: unset one of them.`;
  }
  if (method !== undefined && isSet('DATABASE_URL') && !isSet('SECRET_KEY')) {
    yield `${method} turns authentication on and DATABASE_URL is set, but SECRET_KEY is not: URLs of images are signed with it. Set it to at least 32 random bytes as base64 or hex, the same for all processes.`;
  }
  if (isSet('PREVIOUS_SECRET_KEYS') && isSet('DATABASE_URL') && !isSet('SECRET_KEY')) {
    yield 'PREVIOUS_SECRET_KEYS is set but SECRET_KEY is not: set the key that replaces them.';
  }
  const keys = ['AUTH_JWT_JWKS_URL', 'AUTH_JWT_PUBLIC_KEY'] as const;
  const given = keys.filter(isSet);
  if (isSet('AUTH_JWT_ISSUER')) {
    if (!isSet('AUTH_JWT_AUDIENCE')) {
      yield 'AUTH_JWT_ISSUER is set but AUTH_JWT_AUDIENCE is not: set the audience of the tokens, or the tokens of other services would be accepted.';
    }
    if (given.length !== 1) {
      yield 'AUTH_JWT_ISSUER is set: set one of AUTH_JWT_JWKS_URL and AUTH_JWT_PUBLIC_KEY.';
    }
    if (isSet('AUTH_JWT_FILE')) {
      yield 'AUTH_JWT_FILE cannot be combined with AUTH_JWT_ISSUER: put every issuer into the file.';
    }
  } else {
    for (const name of ['AUTH_JWT_AUDIENCE', ...keys] as const) {
      if (isSet(name))
        yield `${name} is set but AUTH_JWT_ISSUER is not: set the issuer of the tokens.`;
    }
  }
  if (isSet('AUTH_HEADER') && !isSet('TRUSTED_PROXIES')) {
    yield 'AUTH_HEADER is set but TRUSTED_PROXIES is not: set the addresses of the proxies whose header is trusted.';
  }
}
