import { afterEach, describe, expect, test, vi } from 'vitest';
import { readCredential } from '../../src/graphiql/sign-in/credential.ts';
import { createSession } from '../../src/graphiql/sign-in/session.ts';
import { access, createAccess, fetchWithAccess } from '../../src/graphiql/transport/access.ts';
import { RejectedError } from '../../src/graphiql/transport/viewer.ts';

const ANN = { id: 'ann', isAdmin: false };
const REVOKED = 'The API key is not valid: it is unknown, revoked or expired.';

/** A session of a service that knows these credentials. */
function begin(known: Record<string, typeof ANN>, kept: string | null = null) {
  const values = new Map(kept === null ? [] : [['retouch:credential', kept]]);
  const storage = {
    getItem: (name: string) => values.get(name) ?? null,
    setItem: (name: string, value: string) => void values.set(name, value),
    removeItem: (name: string) => void values.delete(name),
  } as Storage;
  const own = createAccess();
  const reload = vi.fn();
  const fails = { now: null as Error | null };
  const session = createSession({
    access: own,
    storage,
    reload,
    async readViewer(credential) {
      if (fails.now) throw fails.now;
      const viewer = known[credential ?? 'proxy'];
      if (viewer) return viewer;
      throw new RejectedError(REVOKED);
    },
  });
  return { session, access: own, values, reload, known, fails };
}

describe('a credential', () => {
  test.each([
    ['rt_live_abc', 'rt_live_abc'],
    ['  rt_live_abc\n', 'rt_live_abc'],
    ['Bearer eyJ.a-b_c.d==', 'eyJ.a-b_c.d=='],
    ['authorization: bearer rt_live_abc', 'rt_live_abc'],
  ])('is read from what was pasted: %j', (text, credential) => {
    expect(readCredential(text)).toBe(credential);
  });

  test.each(['', '  ', 'two words', 'schlüssel', 'a\nb', 'Basic abc'])('is not: %j', (text) => {
    expect(() => readCredential(text)).toThrow(/API key or a token/);
  });
});

describe('the session', () => {
  test('asks for a credential, without a reason at first', async () => {
    const { session, access: own } = begin({});
    const started = session.start();
    expect(own.isOpen()).toBe(false);
    await started;
    expect(session.state()).toMatchObject({ status: 'signed-out', viewer: null, reason: null });
    expect(own.isOpen()).toBe(false);
  });

  test('asks for none behind a proxy that names the user', async () => {
    const { session, access: own } = begin({ proxy: ANN });
    await session.start();
    expect(session.state()).toMatchObject({ status: 'signed-in', hasCredential: false });
    expect([own.isOpen(), own.credential()]).toEqual([true, null]);
  });

  test.each([true, false])('keeps a credential only when asked to: %s', async (keep) => {
    const { session, access: own, values, reload } = begin({ key: ANN });
    await session.start();
    await session.signIn(' key ', { keep });
    expect(session.state()).toMatchObject({ status: 'signed-in', viewer: ANN });
    expect(own.credential()).toBe('key');
    expect([...values.values()]).toEqual(keep ? ['key'] : []);
    session.signOut();
    expect([values.size, own.isOpen(), reload.mock.calls.length]).toEqual([0, false, 1]);
  });

  test('is unchanged by a wrong credential', async () => {
    const { session, access: own } = begin({ proxy: ANN });
    await session.start();
    await expect(session.signIn('wrong', { keep: true })).rejects.toThrow(REVOKED);
    expect(session.state()).toMatchObject({ status: 'signed-in', viewer: ANN });
    expect(own.isOpen()).toBe(true);
  });

  test('forgets a kept credential that is not valid any more, but not while it cannot be checked', async () => {
    const wrong = begin({}, 'old');
    await wrong.session.start();
    expect(wrong.session.state()).toMatchObject({ status: 'signed-out', reason: REVOKED });
    expect(wrong.values.size).toBe(0);

    const away = begin({}, 'old');
    away.fails.now = new Error('The service cannot be reached.');
    await away.session.start();
    const reason = 'The service cannot be reached. Reload to try again.';
    expect(away.session.state()).toMatchObject({ status: 'signed-out', reason });
    expect(away.values.size).toBe(1);
  });

  test('ends when the service rejects its credential, not one that it had before', async () => {
    const { session, access: own } = begin({ key: ANN, newer: ANN }, 'key');
    await session.start();
    const { aborted } = own.signal();
    const signal = own.signal();
    own.reject({ credential: 'other', status: 401, message: REVOKED });
    expect([aborted, session.state().status]).toEqual([false, 'signed-in']);
    own.reject({ credential: 'key', status: 401, message: REVOKED });
    const ended = { status: 'signed-out', viewer: ANN, reason: REVOKED };
    await vi.waitFor(() => expect(session.state()).toMatchObject(ended));
    expect([signal.aborted, own.isOpen()]).toEqual([true, false]);
    const opened = own.opened(new AbortController().signal);
    await session.signIn('newer', { keep: false });
    await opened;
    own.reject({ credential: 'key', status: 401, message: REVOKED });
    expect(session.state()).toMatchObject({ status: 'signed-in', reason: null });
  });

  test('ends with a 403 only if the service rejects every request', async () => {
    const { session, access: own, known } = begin({ key: ANN }, 'key');
    await session.start();
    own.reject({ credential: 'key', status: 403, message: 'not this one' });
    await new Promise((resolve) => setTimeout(resolve));
    expect(session.state().status).toBe('signed-in');
    delete known['key'];
    own.reject({ credential: 'key', status: 403, message: 'the owner is disabled' });
    await vi.waitFor(() => expect(session.state().reason).toBe(REVOKED));
  });
});

describe('a request', () => {
  afterEach(() => {
    access.open(null);
    vi.unstubAllGlobals();
  });

  /** The headers of each request that was sent. */
  function recordFetch(status = 200): Record<string, string>[] {
    const sent: Record<string, string>[] = [];
    vi.stubGlobal('fetch', async (_: string, { headers }: { headers: Headers }) => {
      sent.push(Object.fromEntries(headers));
      return Response.json({ errors: [{ message: REVOKED }] }, { status });
    });
    return sent;
  }

  test('has the credential, unless it has its own', async () => {
    const sent = recordFetch();
    await fetchWithAccess('/graphql', { headers: { accept: 'a' } });
    access.open('key');
    await fetchWithAccess('/graphql', { headers: { accept: 'a' } });
    await fetchWithAccess('/graphql', { headers: { Authorization: 'Bearer own' } });
    await fetchWithAccess('/graphql', { headers: { 'X-Api-Key': 'own' } });
    expect(sent).toEqual([
      { accept: 'a' },
      { accept: 'a', authorization: 'Bearer key' },
      { authorization: 'Bearer own' },
      { 'x-api-key': 'own' },
    ]);
  });

  test('reports that its credential is rejected, not the one of its own', async () => {
    recordFetch(401);
    const onRejected = vi.fn();
    const end = access.onRejected(onRejected);
    access.open('key');
    await fetchWithAccess('/graphql', { headers: { authorization: 'Bearer own' } });
    expect(onRejected).not.toHaveBeenCalled();
    const response = await fetchWithAccess('/graphql');
    expect(onRejected).toHaveBeenCalledExactlyOnceWith({
      credential: 'key',
      status: 401,
      message: REVOKED,
    });
    // Still to be read.
    expect(await response.json()).toEqual({ errors: [{ message: REVOKED }] });
    end();
  });

  test('is not sent while nobody is signed in', async () => {
    const sent = recordFetch();
    access.close();
    const response = await fetchWithAccess('/graphql');
    expect(await response.json()).toEqual({ errors: [{ message: 'Sign in to continue.' }] });
    expect(sent).toEqual([]);
  });
});
