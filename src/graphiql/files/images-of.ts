/** The images among what is dropped or pasted. */
export function imagesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter(isImage);
}

/** The names of what is no image among it. */
export function othersOf(data: DataTransfer | null): string[] {
  return [...(data?.files ?? [])].filter((file) => !isImage(file)).map(({ name }) => name);
}

function isImage({ type }: File): boolean {
  return type.startsWith('image/');
}

/** Files are dragged in, as far as a page can tell before they are dropped. */
export function isFileDrag(data: DataTransfer | null): boolean {
  return data?.types.includes('Files') ?? false;
}
