/** Shows that no model is used. */
export function SandboxBanner() {
  return (
    <aside aria-label="Sandbox" className="retouch-banner">
      <b>Sandbox</b>
      <span>
        A built-in stand-in makes the images, not a model, and nothing is billed. Set{' '}
        <code>EDITS_API_URL</code> and <code>EDITS_API_KEY</code> to use a real model.
      </span>
    </aside>
  );
}
