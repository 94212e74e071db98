/**
 * The model that a dated snapshot belongs to: `gpt-image-2-2026-04-21` is billed and counted as
 * `gpt-image-2`. Any other name is its own.
 */
export function modelFamily(model: string): string {
  return model.replace(/-\d{4}-\d{2}-\d{2}$/, '');
}
