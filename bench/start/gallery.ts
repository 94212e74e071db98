import { jpeg } from '../../test/support/test-images.ts';

/** Requests at once, as a browser has over one connection of HTTP/1.1 to a host. */
const AT_ONCE = 6;

/** So many different images of a common size. */
export function galleryImages(count: number): Promise<Buffer[]> {
  return Promise.all(Array.from({ length: count }, () => jpeg(1_200, 800)));
}

/** Uploads images, then asks for the thumbnail of each. @throws when one is not answered. */
export async function showGallery(url: string, images: readonly Buffer[]): Promise<void> {
  const ids = await inTurns(images, async (image) => {
    const headers = { 'content-type': 'image/jpeg', 'apollo-require-preflight': 'true' };
    const body = new Uint8Array(image);
    const stored = await asked(`${url}/images`, { method: 'POST', headers, body });
    return ((await stored.json()) as { id: string }).id;
  });
  await inTurns(ids, async (id) => (await asked(`${url}/images/${id}?w=256`)).arrayBuffer());
}

async function asked(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

async function inTurns<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = [...items];
  const workOn = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      results.push(await work(item));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOn));
  return results;
}
