/** The images in dropped or pasted data. */
export function imagesOf(data: DataTransfer | null): File[] {
  return [...(data?.files ?? [])].filter(isImage);
}

/** The names of the other files in it. */
export function othersOf(data: DataTransfer | null): string[] {
  return [...(data?.files ?? [])].filter((file) => !isImage(file)).map(({ name }) => name);
}

function isImage({ type }: File): boolean {
  return type.startsWith('image/');
}

/** Whether files are being dragged, as far as a page can know before the drop. */
export function isFileDrag(data: DataTransfer | null): boolean {
  return data?.types.includes('Files') ?? false;
}
