import { ask } from '../transport/graphql.ts';

/** Mutations that need only the id of an edit. */
export type EditCommand = 'cancelEdit' | 'retryEdit' | 'rereadAnswer' | 'deleteEdit';

export const EDIT_COMMANDS: Readonly<Record<EditCommand, string>> = {
  cancelEdit: mutation(
    'cancelEdit(input: { id: $id }) { ... on CancelEditPayload { editJob { id } }',
  ),
  // `wait: 0`, because the page follows the edit by events.
  retryEdit: mutation(
    'retryEdit(input: { id: $id, wait: 0 }) { ... on RetryEditPayload { editJob { id } }',
  ),
  rereadAnswer: mutation(
    'rereadAnswer(input: { id: $id }) { ... on RereadAnswerPayload { editJob { id } }',
  ),
  deleteEdit: mutation('deleteEdit(input: { id: $id }) { ... on DeleteEditPayload { deletedId }'),
};

function mutation(field: string): string {
  return `mutation Command($id: ID!) { result: ${field} ... on Error { message } } }`;
}

interface Answer {
  readonly result: { readonly editJob?: { readonly id: string }; readonly message?: string };
}

/**
 * @returns The global id of the edit in the result; null after a deletion.
 * @throws Error with the service's message if it is rejected.
 */
export async function runCommand(command: EditCommand, id: string): Promise<string | null> {
  const { result } = await ask<Answer>({ query: EDIT_COMMANDS[command], variables: { id } });
  if (result.message !== undefined) throw new Error(result.message);
  return result.editJob?.id ?? null;
}
