import { editOperation } from '../examples.ts';
import { withValue } from '../files/edit-variables.ts';
import { useUploadSlots } from '../files/use-upload-slots.ts';
import { ownUrl } from '../transport/graphql.ts';
import { usePage } from '../workbench/page-context.ts';
import { FILES_TITLE, showPanel } from '../workbench/show-panel.ts';
import { useEditors } from '../workbench/use-editors.ts';
import type { Picture } from './edit.ts';

/** What can be done with a stored picture. */
export function PictureActions({ picture, label }: { picture: Picture; label: string }) {
  const { sandbox } = usePage();
  const { openTab, insert } = useEditors();
  const slots = useUploadSlots();

  const asInput = () => {
    if (!slots.placeStored(picture.id)) {
      const { query, variables = '' } = editOperation({ sandbox });
      const images = [{ id: picture.id }];
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
        onClick={() => insert(picture.id)}
        title="Where the cursor was last in an editor"
        type="button"
      >
        Insert id
      </button>
      <a aria-label={`Open ${label}`} href={ownUrl(picture.url)} rel="noreferrer" target="_blank">
        Open
      </a>
      <a aria-label={`Download ${label}`} download href={ownUrl(picture.url)}>
        Download
      </a>
    </span>
  );
}
