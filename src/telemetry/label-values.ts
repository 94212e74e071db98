/** Values of one label beyond those that are known; the others are `other`. */
const MAX_UNKNOWN = 30;

/** Longer values are `other`, too. */
const MAX_LENGTH = 64;

/** Bounds the values of labels that clients can choose, and with them the memory of all metrics. */
export type LabelValue = (label: string, value: string) => string;

/** @param options.isKnown Whether a value is one of a list of this service. */
export function createLabelValues(options: {
  isKnown: (label: string, value: string) => boolean;
}): LabelValue {
  const unknown = new Map<string, Set<string>>();
  return (label, value) => {
    if (options.isKnown(label, value)) return value;
    const seen = unknown.get(label) ?? new Set();
    unknown.set(label, seen);
    if (seen.has(value)) return value;
    if (seen.size >= MAX_UNKNOWN || value.length > MAX_LENGTH) return 'other';
    seen.add(value);
    return value;
  };
}
