import { SHOWN_PARAMETERS } from '../edits/parameters.ts';
import { csvLine } from './csv.ts';
import type { EditRecord, ImageRecord } from './edit-record.ts';

/** How a history is written: a head, and a piece of text for each edit. */
export interface ExportFormat {
  readonly contentType: string;
  readonly extension: string;
  readonly head: string;
  write(edit: EditRecord): string;
}

type Column = readonly [name: string, text: (edit: EditRecord) => string];

const ids = (images: readonly ImageRecord[]) => images.map(({ id }) => id).join(' ');
const urls = (images: readonly ImageRecord[]) => images.map(({ url }) => url).join(' ');
const text = (value: string | number | boolean | Date | null | undefined) =>
  value instanceof Date ? value.toISOString() : String(value ?? '');

/** Named by their paths in NDJSON. Empty: null. Several ids or URLs are separated by a space. */
const COLUMNS: readonly Column[] = [
  ['id', (edit) => edit.id],
  ['status', (edit) => edit.status],
  ['createdAt', (edit) => text(edit.createdAt)],
  ['startedAt', (edit) => text(edit.startedAt)],
  ['finishedAt', (edit) => text(edit.finishedAt)],
  ['durationMs', (edit) => text(edit.durationMs)],
  ['upstream', (edit) => text(edit.upstream)],
  ['sandbox', (edit) => text(edit.sandbox)],
  ['prompt.text', (edit) => edit.prompt.text],
  ...SHOWN_PARAMETERS.map((name): Column => [name, (edit) => text(edit[name])]),
  ['resolvedSize', (edit) => edit.resolvedSize],
  ['extraParams', (edit) => (edit.extraParams === null ? '' : JSON.stringify(edit.extraParams))],
  ['metadata', (edit) => JSON.stringify(edit.metadata)],
  ['usage.totalTokens', (edit) => text(edit.usage?.totalTokens)],
  ['usage.inputTokens', (edit) => text(edit.usage?.inputTokens)],
  [
    'usage.inputTokensDetails.textTokens',
    (edit) => text(edit.usage?.inputTokensDetails.textTokens),
  ],
  [
    'usage.inputTokensDetails.imageTokens',
    (edit) => text(edit.usage?.inputTokensDetails.imageTokens),
  ],
  ['usage.cachedInputTokens', (edit) => text(edit.usage?.cachedInputTokens)],
  [
    'usage.cachedInputTokensDetails.textTokens',
    (edit) => text(edit.usage?.cachedInputTokensDetails.textTokens),
  ],
  [
    'usage.cachedInputTokensDetails.imageTokens',
    (edit) => text(edit.usage?.cachedInputTokensDetails.imageTokens),
  ],
  ['usage.outputTokens', (edit) => text(edit.usage?.outputTokens)],
  [
    'usage.outputTokensDetails.textTokens',
    (edit) => text(edit.usage?.outputTokensDetails.textTokens),
  ],
  [
    'usage.outputTokensDetails.imageTokens',
    (edit) => text(edit.usage?.outputTokensDetails.imageTokens),
  ],
  ['cost.amount', (edit) => text(edit.cost?.amount)],
  ['cost.priceVersion', (edit) => text(edit.cost?.priceVersion)],
  ['cost.nominal', (edit) => text(edit.cost?.nominal)],
  ['upstreamResult.size', (edit) => text(edit.upstreamResult?.size)],
  ['upstreamResult.quality', (edit) => text(edit.upstreamResult?.quality)],
  ['upstreamResult.background', (edit) => text(edit.upstreamResult?.background)],
  ['upstreamResult.outputFormat', (edit) => text(edit.upstreamResult?.outputFormat)],
  ['upstreamResult.revisedPrompt', (edit) => text(edit.upstreamResult?.revisedPrompt)],
  ['error.code', (edit) => text(edit.error?.code)],
  ['error.message', (edit) => text(edit.error?.message)],
  ['retryOf.id', (edit) => text(edit.retryOf?.id)],
  ['owner.id', (edit) => text(edit.owner.id)],
  ['inputImages.id', (edit) => ids(edit.inputImages)],
  ['inputImages.url', (edit) => urls(edit.inputImages)],
  ['mask.id', (edit) => text(edit.mask?.id)],
  ['mask.url', (edit) => text(edit.mask?.url)],
  ['outputImages.id', (edit) => ids(edit.outputImages)],
  ['outputImages.url', (edit) => urls(edit.outputImages)],
  ['source', (edit) => edit.source],
];

export const EXPORT_FORMATS: Readonly<Record<string, ExportFormat>> = {
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    extension: 'ndjson',
    head: '',
    write: (edit) => `${JSON.stringify(edit)}\n`,
  },
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    head: csvLine(COLUMNS.map(([name]) => name)),
    write: (edit) => csvLine(COLUMNS.map(([, cell]) => cell(edit))),
  },
};
