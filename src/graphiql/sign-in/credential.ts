/**
 * The credential in a text that was pasted: without white space around it, and without `Bearer`.
 * @throws Error for people if no credential has this form (RFC 6750, 2.1).
 */
export function readCredential(text: string): string {
  const [, credential = ''] =
    /^\s*(?:(?:authorization:\s*)?bearer\s)?\s*(\S*)\s*$/i.exec(text) ?? [];
  if (text.trim() === '') throw new Error('Enter an API key or a token.');
  if (/^[\w.~+/-]+=*$/.test(credential)) return credential;
  throw new Error('This is not an API key or a token: it contains other characters or spaces.');
}
