import { useState } from 'react';
import { access } from '../transport/access.ts';
import { curlOf } from '../transport/curl.ts';
import { endpointUrl, ownUrl, wordsOf } from '../transport/graphql.ts';
import { copyText } from '../workbench/copy-text.ts';
import { usePage } from '../workbench/page-context.ts';
import { Problem } from '../workbench/panel.tsx';
import { type Edit, isFinal } from './edit.ts';
import { type EditCommand, runCommand } from './edit-commands.ts';
import { editOperationOf } from './edit-operation.ts';
import { costWarning } from './waiting.ts';
import './edit-actions.css';

/** The actions of an edit, each one click. */
export function EditActions({ edit }: { edit: Edit }) {
  const { openEdit } = usePage();
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [isCopied, setIsCopied] = useState(false);

  async function attempt(action: () => Promise<void>) {
    setIsBusy(true);
    setProblem(null);
    await action().catch((error: unknown) => setProblem(wordsOf(error)));
    setIsBusy(false);
  }
  const run = (command: EditCommand) =>
    attempt(async () => {
      const id = await runCommand(command, edit.id);
      if (command === 'retryEdit' && id !== null) openEdit.set(id);
    });
  const copy = () =>
    attempt(async () => {
      const operation = await editOperationOf(edit.id);
      const hasCredential = access.credential() !== null;
      await copyText(curlOf({ url: endpointUrl(), operation, hasCredential }));
      setIsCopied(true);
    });

  const button = (label: string, onClick: () => void, title?: string) => (
    <button
      className="retouch-button"
      disabled={isBusy}
      onClick={onClick}
      title={title}
      type="button"
    >
      {label}
    </button>
  );
  const isRunning = edit.status === 'RUNNING';
  return (
    <div className="retouch-edit-actions">
      {!isFinal(edit) &&
        button(
          'Cancel',
          () => run('cancelEdit'),
          isRunning
            ? 'Aborts the request. The edit may still be billed.'
            : 'Free: nothing was sent yet.',
        )}
      {edit.hasStoredAnswer && button('Read the response again', () => run('rereadAnswer'))}
      {isFinal(edit) &&
        button(
          'Retry',
          () => run('retryEdit'),
          costWarning(edit) ?? 'Submits a new edit with the same images.',
        )}
      {edit.outputImages.length > 0 && button('Download', () => download(edit))}
      {button(
        isCopied ? 'Copied' : 'Copy as curl',
        copy,
        'A shell command that submits this edit again.',
      )}
      {isFinal(edit) &&
        button('Delete', () => run('deleteEdit'), 'Permanently deletes the images and the prompt.')}
      {problem && <Problem>{problem}</Problem>}
    </div>
  );
}

/** Saves each output image as a separate file. */
function download({ outputImages }: Edit): void {
  for (const image of outputImages) {
    const link = document.createElement('a');
    link.href = ownUrl(image.url);
    // The service sets the file name.
    link.download = '';
    link.click();
  }
}
