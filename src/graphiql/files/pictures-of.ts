/** The pictures among what is dropped or pasted. */
export function picturesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter(isPicture);
}

/** The names of what is no picture among it. */
export function othersOf(data: DataTransfer | null): string[] {
  return [...(data?.files ?? [])].filter((file) => !isPicture(file)).map(({ name }) => name);
}

function isPicture({ type }: File): boolean {
  return type.startsWith('image/');
}

/** Files are dragged in, as far as a page can tell before they are dropped. */
export function isFileDrag(data: DataTransfer | null): boolean {
  return data?.types.includes('Files') ?? false;
}
