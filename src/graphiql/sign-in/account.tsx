import type { SessionState } from './session.ts';
import './account.css';

/** Who is signed in, with the button that ends or begins that. */
export function Account(props: {
  state: SessionState;
  onSignIn: () => void;
  onSignOut: () => void;
}) {
  const { state, onSignIn, onSignOut } = props;
  const { status, viewer, hasCredential } = state;
  const isSignedIn = status === 'signed-in' && viewer !== null;
  const name = isSignedIn ? `${viewer.id}${viewer.isAdmin ? ' (admin)' : ''}` : 'Signed out';
  return (
    <span className="retouch-account">
      <span className="retouch-account-name" title={name}>
        {isSignedIn && <span className="retouch-hidden">Signed in as </span>}
        {name}
      </span>
      {isSignedIn && hasCredential ? (
        <button className="retouch-button" onClick={onSignOut} type="button">
          Sign out
        </button>
      ) : (
        <button className="retouch-button" onClick={onSignIn} type="button">
          {isSignedIn ? 'Switch user…' : 'Sign in…'}
        </button>
      )}
    </span>
  );
}
