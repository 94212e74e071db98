import { Component, type ReactNode, Suspense, useState } from 'react';
import { EditForm } from './edit-form.tsx';
import { History } from './history.tsx';
import { Live } from './live.tsx';

export function App() {
  const [id, setId] = useState<string>();
  // The history is asked for again with each edit, and then follows it through Relay's store.
  return (
    <>
      <h1>Retouch with Relay</h1>
      <EditForm onStarted={setId} />
      {id && <Live key={id} id={id} />}
      <Boundary key={`history ${id}`}>
        <Suspense fallback={<p>Loading…</p>}>
          <History latest={id} />
        </Suspense>
      </Boundary>
    </>
  );
}

/** Says what is thrown within: without it, that would take the whole page away. */
class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    return error ? <p role="alert">{error.message}</p> : this.props.children;
  }
}
