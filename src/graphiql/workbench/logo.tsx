export function Logo() {
  return <span className="retouch-logo">Retouch</span>;
}
