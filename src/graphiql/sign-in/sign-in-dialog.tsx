import { type SubmitEvent, useEffect, useId, useRef, useState } from 'react';
import { Problem } from '../workbench/panel.tsx';
import './sign-in-dialog.css';

/** Asks for an API key or a token. */
export function SignInDialog(props: {
  /** Why the last credential no longer works. */
  reason: string | null;
  /** @throws Error for people. */
  onSignIn: (text: string, options: { keep: boolean }) => Promise<void>;
  onClose: () => void;
}) {
  const { reason, onSignIn, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const keep = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState(reason);
  const [isBusy, setIsBusy] = useState(false);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
    field.current?.focus();
  }, []);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    setProblem(null);
    setIsBusy(true);
    try {
      // The field is the only place that has it: it is not part of any state.
      await onSignIn(field.current?.value ?? '', { keep: keep.current?.checked ?? false });
      dialog.current?.close();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      field.current?.select();
    } finally {
      setIsBusy(false);
    }
  }
  return (
    <dialog
      aria-labelledby={`${id}-title`}
      className="retouch-sign-in"
      onClose={onClose}
      ref={dialog}
    >
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={`${id}-title`}>Sign in to Retouch</h2>
        <p className="retouch-sign-in-field">
          <label htmlFor={`${id}-field`}>API key or token</label>
          <input
            aria-describedby={`${id}-hint`}
            aria-invalid={problem !== null}
            autoComplete="off"
            id={`${id}-field`}
            ref={field}
            spellCheck={false}
            type="password"
          />
          <span className="retouch-faint" id={`${id}-hint`}>
            It is sent with each request, and forgotten when the page closes or reloads.
          </span>
        </p>
        <label className="retouch-sign-in-keep">
          <input ref={keep} type="checkbox" />
          Keep it for this tab
        </label>
        {problem && <Problem>{problem}</Problem>}
        <button className="retouch-button is-primary" disabled={isBusy} type="submit">
          {isBusy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </dialog>
  );
}
