/** Asks a server that starts until it answers. @throws when it has ended. */
export async function untilAnswering(port: number, hasEnded: () => boolean): Promise<void> {
  for (;;) {
    if (hasEnded()) throw new Error('the server did not start');
    try {
      await (await fetch(`http://127.0.0.1:${port}/`)).bytes();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
