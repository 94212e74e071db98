import { type ReactNode, useId } from 'react';

/** A button that opens a file picker for images. */
export function FilePicker(props: {
  onPick: (files: File[]) => void;
  isMultiple?: boolean;
  accept?: string;
  className?: string;
  children: ReactNode;
}) {
  const { onPick, isMultiple = false, accept = 'image/png,image/jpeg,image/webp' } = props;
  const id = useId();
  return (
    <label className={props.className ?? 'retouch-button'} htmlFor={id}>
      <input
        accept={accept}
        className="retouch-hidden"
        id={id}
        multiple={isMultiple}
        onChange={({ currentTarget }) => {
          onPick([...(currentTarget.files ?? [])]);
          // So that the same file can be picked again after it was removed.
          currentTarget.value = '';
        }}
        type="file"
      />
      {props.children}
    </label>
  );
}
