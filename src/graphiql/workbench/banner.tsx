/** Says that no model is asked. */
export function SandboxBanner() {
  return (
    <aside aria-label="Sandbox" className="retouch-banner">
      <b>Sandbox</b>
      <span>
        Images are made by a built-in stand-in, not by a model, and cost nothing. Set{' '}
        <code>EDITS_API_URL</code> and <code>EDITS_API_KEY</code> for a real edits API.
      </span>
    </aside>
  );
}
