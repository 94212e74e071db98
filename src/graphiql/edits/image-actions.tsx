import { editOperation } from '../examples.ts';
import { withValue } from '../files/edit-variables.ts';
import { useUploadSlots } from '../files/use-upload-slots.ts';
import { ownUrl } from '../transport/graphql.ts';
import { usePage } from '../workbench/page-context.ts';
import { FILES_TITLE, showPanel } from '../workbench/show-panel.ts';
import { useEditors } from '../workbench/use-editors.ts';
import type { EditImage } from './edit.ts';

/** The actions of a stored image. */
export function ImageActions({ image, label }: { image: EditImage; label: string }) {
  const { sandbox } = usePage();
  const { openTab, insert } = useEditors();
  const slots = useUploadSlots();

  const asInput = () => {
    if (!slots.placeStored(image.id)) {
      const { query, variables = '' } = editOperation({ sandbox });
      const images = [{ id: image.id }];
      openTab({ query, variables: withValue(variables, ['input', 'images'], images) });
    }
    showPanel(FILES_TITLE);
  };
  return (
    <span className="retouch-actions">
      <button aria-label={`Use as input: ${label}`} onClick={asInput} type="button">
        Use as input
      </button>
      <button
        aria-label={`Insert id: ${label}`}
        onClick={() => insert(image.id)}
        title="Where the cursor was last in an editor"
        type="button"
      >
        Insert id
      </button>
      <a aria-label={`Open ${label}`} href={ownUrl(image.url)} rel="noreferrer" target="_blank">
        Open
      </a>
      <a aria-label={`Download ${label}`} download href={ownUrl(image.url)}>
        Download
      </a>
    </span>
  );
}
