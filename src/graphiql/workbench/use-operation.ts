import { useGraphiQL, useOperationsEditorState, useVariablesEditorState } from '@graphiql/react';
import type { OperationDefinitionNode } from 'graphql';
import { useMemo, useRef } from 'react';
import { readOperation } from './read-operation.ts';

/** The operation of the active tab that would run. */
export interface CurrentOperation {
  /** As last parsed; null if the tab's text has never been valid. */
  readonly operation: OperationDefinitionNode | null;
  /** The text of the variables editor. */
  readonly variables: string;
}

export function useOperation(): CurrentOperation {
  const [query] = useOperationsEditorState();
  const [variables] = useVariablesEditorState();
  const operationName = useGraphiQL((state) => state.operationName);
  const tab = useGraphiQL((state) => state.tabs[state.activeTabIndex]?.id);
  const last = useRef<{ tab: string | undefined; found: OperationDefinitionNode | null }>(null);
  const operation = useMemo(() => {
    const found = findOperation(query, operationName);
    if (found !== 'unreadable') last.current = { tab, found };
    return last.current?.tab === tab ? (last.current?.found ?? null) : null;
  }, [query, operationName, tab]);
  return { operation, variables };
}

function findOperation(query: string, name: string | undefined) {
  try {
    return readOperation(query, name);
  } catch {
    return 'unreadable';
  }
}
