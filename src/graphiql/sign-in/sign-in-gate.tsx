import { useEffect, useState, useSyncExternalStore } from 'react';
import { App } from '../app.tsx';
import { access } from '../transport/access.ts';
import { readViewer } from '../transport/viewer.ts';
import { Account } from './account.tsx';
import { createSession } from './session.ts';
import { SignInDialog } from './sign-in-dialog.tsx';

/** The page once somebody has signed in. It stays, with its editors, while nobody is signed in. */
export function SignInGate({ sandbox }: { sandbox: boolean }) {
  const [session] = useState(() =>
    createSession({
      access,
      storage: sessionStorage,
      readViewer,
      reload: () => location.reload(),
    }),
  );
  useEffect(() => void session.start(), [session]);
  const state = useSyncExternalStore(session.subscribe, session.state);
  const { status, viewer, reason } = state;
  const [isAsking, setIsAsking] = useState(false);
  useEffect(() => {
    if (status === 'signed-out') setIsAsking(true);
  }, [status]);
  const ask = () => setIsAsking(true);

  return (
    <>
      {viewer && (
        <App
          account={<Account onSignIn={ask} onSignOut={session.signOut} state={state} />}
          // Another viewer sees nothing that was loaded for this one.
          key={viewer.id}
          sandbox={sandbox}
          session={session}
        />
      )}
      {!viewer && status === 'signed-out' && (
        <div className="graphiql-container retouch-signed-out">
          <h1 className="retouch-hidden">Retouch</h1>
          <p>Sign in to use this page.</p>
          <button className="retouch-button is-primary" onClick={ask} type="button">
            Sign in…
          </button>
        </div>
      )}
      {isAsking && (
        <div className="graphiql-container retouch-sign-in-layer">
          <SignInDialog
            onClose={() => setIsAsking(false)}
            onSignIn={session.signIn}
            reason={status === 'signed-out' ? reason : null}
          />
        </div>
      )}
    </>
  );
}
