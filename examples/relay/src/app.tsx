import { Suspense, useState } from 'react';
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
      <Suspense fallback={<p>Loading…</p>}>
        <History latest={id} />
      </Suspense>
    </>
  );
}
