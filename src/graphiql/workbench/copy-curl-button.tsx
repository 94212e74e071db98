import { ToolbarButton, useGraphiQL } from '@graphiql/react';
import { useState } from 'react';
import { parseVariables } from '../files/edit-variables.ts';
import { access } from '../transport/access.ts';
import { curlOf } from '../transport/curl.ts';
import { endpointUrl } from '../transport/graphql.ts';
import { sentFiles } from '../transport/multipart.ts';
import { copyText } from './copy-text.ts';
import { CurlIcon } from './icons.tsx';
import { usePage } from './page-context.ts';

/** Copies the active tab's operation, with its files. */
export function CopyCurlButton() {
  const { attachments } = usePage();
  const query = useGraphiQL((state) => state.queryEditor);
  const variables = useGraphiQL((state) => state.variableEditor);
  const operationName = useGraphiQL((state) => state.operationName);
  const [isCopied, setIsCopied] = useState(false);

  async function copy() {
    const values = parseVariables(variables?.getValue() ?? '') ?? {};
    const operation = {
      query: query?.getValue() ?? '',
      ...(Object.keys(values).length > 0 && { variables: values }),
      ...(operationName && { operationName }),
    };
    const files = sentFiles(attachments.active(), values);
    const hasCredential = access.credential() !== null;
    await copyText(curlOf({ url: endpointUrl(), operation, files, hasCredential }));
    setIsCopied(true);
  }
  return (
    <ToolbarButton label={isCopied ? 'Copied' : 'Copy as curl'} onClick={() => void copy()}>
      <CurlIcon />
    </ToolbarButton>
  );
}
