import { it } from 'vitest';
import { useSandbox, postWith } from './sandbox-support.ts';
const start = useSandbox();
it('x', async () => {
  const b = await start();
  const r = await postWith(b, { kind: 'slow', bytesPerSecond: 100_000 });
  const n: number[] = []; for await (const c of r.body ?? []) n.push(c.length);
  process.stdout.write(JSON.stringify([n.length, n])+'\n');
});
