import { GraphQLError, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Viewer } from '../../auth/viewer.ts';
import { ForbiddenError } from '../../errors.ts';

/**
 * Mutations need the scope `edit`, every one of them: a new mutation cannot forget it. What is for
 * admins is checked by its resolver (`assertAdmin`).
 */
export function useEditScope(): Plugin<{ readonly viewer: Viewer }> {
  return {
    onExecute({ args: { document, operationName, contextValue }, setResultAndStopExecution }) {
      const isMutation = getOperationAST(document, operationName)?.operation === 'mutation';
      if (!isMutation || contextValue.viewer.canEdit) return;
      const { code, message } = new ForbiddenError(
        'Mutations need a credential with the scope edit; this one can only read.',
      );
      const error = new GraphQLError(message, { extensions: { code, http: { status: 403 } } });
      setResultAndStopExecution({ errors: [error] });
    },
  };
}
