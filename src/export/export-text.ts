import type { EditRecord } from './edit-record.ts';
import type { ExportFormat } from './formats.ts';

/** UTF-16 code units per piece. */
const PIECE_CHARACTERS = 64 * 1024;

/** A part of an export, and how many edits it has. */
export interface ExportPiece {
  readonly text: string;
  readonly edits: number;
}

/** Writes records as text. Gathers it, because a write per edit would cost more than the edit. */
export async function* exportText(
  format: ExportFormat,
  records: AsyncIterable<EditRecord>,
): AsyncGenerator<ExportPiece, void, undefined> {
  let [text, edits] = [format.head, 0];
  for await (const record of records) {
    text += format.write(record);
    edits += 1;
    if (text.length < PIECE_CHARACTERS) continue;
    yield { text, edits };
    [text, edits] = ['', 0];
  }
  if (text !== '') yield { text, edits };
}
