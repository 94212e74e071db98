import { type MonacoEditor, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import type { ExampleOperation } from '../examples.ts';
import { usePage } from './page-context.ts';

/** Changes that panels make in the editors. Each can be undone there. */
export interface Editors {
  setVariables(text: string): void;
  openTab(operation: ExampleOperation): void;
  /**
   * Inserts a value at the last cursor position, as a JSON or GraphQL string unless there are
   * quotes.
   */
  insert(value: string): void;
}

export function useEditors(): Editors {
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const { addTab } = useGraphiQLActions();
  const { lastEditor } = usePage();

  return {
    setVariables: (text) => variables && replaceAll(variables, text),
    openTab(operation) {
      addTab();
      query?.setValue(operation.query);
      variables?.setValue(operation.variables ?? '');
    },
    insert(value) {
      const editor = lastEditor.current ?? variables;
      if (editor) insertString(editor, value);
    },
  };
}

function replaceAll(editor: MonacoEditor, text: string): void {
  const model = editor.getModel();
  if (!model || model.getValue() === text) return;
  editor.pushUndoStop();
  editor.executeEdits('retouch', [{ range: model.getFullModelRange(), text }]);
  editor.pushUndoStop();
}

function insertString(editor: MonacoEditor, value: string): void {
  const selection = editor.getSelection();
  const model = editor.getModel();
  if (!selection || !model) return;
  const line = (number: number) => model.getLineContent(number);
  const before = line(selection.startLineNumber)[selection.startColumn - 2];
  const after = line(selection.endLineNumber)[selection.endColumn - 1];
  const isQuoted = before === '"' && after === '"';
  editor.pushUndoStop();
  editor.executeEdits('retouch', [
    { range: selection, text: isQuoted ? value : JSON.stringify(value) },
  ]);
  editor.pushUndoStop();
  editor.focus();
}
