import pLimit from 'p-limit';
import type { Viewer } from '../../../auth/viewer.ts';
import type { InputImage } from '../../../edits/submit/edits.ts';
import { NotFoundError } from '../../../errors.ts';
import type { Images } from '../../../images/images.ts';
import { idOf } from '../../../public-ids/global-id.ts';
import type { ImageIntake } from './image-intake.ts';
import type { ImageSource } from './image-source.ts';
import type { OpenImageUrl } from './image-urls.ts';
import type { Problems } from './problems.ts';

/** Downloads that run at once, for one request and for all. */
const MAX_DOWNLOADS = 4;
const MAX_ALL_DOWNLOADS = 16;

/**
 * Looks up stored images and downloads linked ones. Returns all in the order of `sources`, each of
 * which is valid so far. When it rejects, no download runs any more.
 *
 * @throws NotFoundError before anything is downloaded; InvalidInputError with all problems;
 *   StorageError; the signal's reason.
 */
export type LoadImages = (
  sources: readonly ImageSource[],
  context: { viewer: Viewer; intake: ImageIntake; problems: Problems; signal: AbortSignal },
) => Promise<InputImage[]>;

export function createLoadImages(options: {
  images: Pick<Images, 'find'>;
  openImageUrl: OpenImageUrl;
}): LoadImages {
  const { images, openImageUrl } = options;
  const limitAll = pLimit(MAX_ALL_DOWNLOADS);

  async function find(viewer: Viewer, globalId: string): Promise<InputImage> {
    const id = idOf('Image', globalId);
    const image = id === null ? null : await images.find(viewer, id);
    if (image === null) throw new NotFoundError('Image', globalId);
    return { kind: 'stored', image };
  }

  async function download(
    { field, url }: Extract<ImageSource, { kind: 'url' }>,
    intake: ImageIntake,
    signal: AbortSignal,
  ): Promise<InputImage> {
    const bytes = openImageUrl(field, url, signal);
    try {
      return { kind: 'received', image: await intake.take(field, bytes) };
    } finally {
      // An invalid image is not read to its end.
      void bytes.return();
    }
  }

  return async (sources, { viewer, intake, problems, signal }) => {
    const loaded: (InputImage | null)[] = await Promise.all(
      sources.map(async (source) => {
        if (source.kind === 'stored') return find(viewer, source.id);
        if (source.kind === 'url' || source.image === null) return null;
        return { kind: 'received' as const, image: source.image };
      }),
    );
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const limit = pLimit(MAX_DOWNLOADS);
    await Promise.allSettled(
      sources.map(async (source, place) => {
        if (source.kind !== 'url') return;
        try {
          loaded[place] = await problems.tryLater(() =>
            limit(() => limitAll(() => download(source, intake, either))),
          );
        } catch (error) {
          stop.abort(error);
        }
      }),
    );
    either.throwIfAborted();
    problems.throwIfAny();
    return loaded.filter((image) => image !== null);
  };
}
