import { getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { ATTRIBUTE } from '../../telemetry/gen-ai-names.ts';
import type { Traces } from '../../telemetry/traces.ts';

/** Adds the type and the name of the operation to the span of the request. */
export function useTraceOperations(traces: Traces): Plugin {
  if (!traces.isOn) return {};
  return {
    onExecute({ args: { document, operationName } }) {
      const operation = getOperationAST(document, operationName);
      if (operation == null) return;
      traces.annotate({
        [ATTRIBUTE.graphqlOperationType]: operation.operation,
        [ATTRIBUTE.graphqlOperationName]: operation.name?.value,
      });
    },
  };
}
