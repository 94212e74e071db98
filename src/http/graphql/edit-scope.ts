import { getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Viewer } from '../../auth/viewer.ts';
import { assertCanEdit } from '../../auth/visible.ts';
import { refusalOf } from './refusal.ts';

/**
 * Mutations need the scope `edit`, every one of them: a new mutation cannot forget it. What is for
 * admins is checked by its resolver (`assertAdmin`).
 */
export function useEditScope(): Plugin<{ readonly viewer: Viewer }> {
  return {
    onExecute({ args: { document, operationName, contextValue }, setResultAndStopExecution }) {
      if (getOperationAST(document, operationName)?.operation !== 'mutation') return;
      try {
        assertCanEdit(contextValue.viewer);
      } catch (error) {
        setResultAndStopExecution({ errors: [refusalOf(error)] });
      }
    },
  };
}
