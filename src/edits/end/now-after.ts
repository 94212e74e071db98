/** Now, but not before `time`: the clock may be set back while an edit runs. */
export function nowAfter(time: Date | null): Date {
  return new Date(Math.max(Date.now(), time?.getTime() ?? 0));
}
