import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { PrismaClient } from '../../src/database/database.ts';
import { EditStatus } from '../../src/edits/edit-status.ts';
import type { JsonObject } from '../../src/edits/input/json-object.ts';
import { savePrompt } from '../../src/edits/submit/insert-prompt.ts';
import type { EditErrorCode } from '../../src/edits-api/edit-error-codes.ts';

/** An edit as a test wants it; what is left out is the same for all. */
export interface HistoryRow {
  readonly id: string;
  readonly ownerId: string;
  readonly prompt: string;
  readonly status: EditStatus;
  readonly model: string;
  readonly size: string;
  readonly resolvedSize: string;
  readonly quality: string | null;
  readonly upstream: string | null;
  readonly sandbox: boolean;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly totalTokens: number | null;
  readonly costMicroUsd: bigint | null;
  readonly outputCount: number;
  readonly errorCode: EditErrorCode | null;
  readonly metadata: JsonObject;
  readonly deletedAt: Date | null;
  /** Names of images, the same for the same owner. */
  readonly inputs: readonly string[];
  readonly mask: string | null;
  readonly outputs: readonly string[];
}

const START_MS = Date.UTC(2026, 0, 1);
let made = 0;

export function historyRow(given: Partial<HistoryRow> = {}): HistoryRow {
  made += 1;
  const createdAt = given.createdAt ?? new Date(START_MS + made * 1_000);
  return {
    id: uuid({ msecs: createdAt.getTime() }),
    ownerId: 'local',
    prompt: 'a prompt',
    status: EditStatus.SUCCEEDED,
    model: 'gpt-image-1',
    size: '1024x1024',
    resolvedSize: given.size ?? '1024x1024',
    quality: null,
    upstream: null,
    sandbox: false,
    createdAt,
    startedAt: null,
    finishedAt: null,
    totalTokens: null,
    costMicroUsd: null,
    outputCount: given.outputs?.length ?? 0,
    errorCode: null,
    metadata: {},
    deletedAt: null,
    inputs: [],
    mask: null,
    outputs: [],
    ...given,
  };
}

/** The id of an owner's image of that name, as `insertHistory` gives it. */
export function imageIdOf(ownerId: string, name: string): string {
  const hex = createHash('sha256').update(`${ownerId}/${name}`).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-7$3-8$4-$5');
}

/** A row's own columns, as for `createMany`: without its prompt and images. */
export function jobColumns({
  prompt: _,
  inputs: __,
  mask: ___,
  outputs: ____,
  ...own
}: HistoryRow) {
  return { ...own, n: 1 };
}

/** Writes them in the order given, with their prompts and images. */
export async function insertHistory(
  prisma: PrismaClient,
  rows: readonly HistoryRow[],
): Promise<void> {
  for (const row of rows) {
    const { prompt, inputs, mask, outputs, ...data } = row;
    const promptId = await savePrompt(prisma, row.ownerId, prompt);
    await prisma.prompt.update({ where: { id: promptId }, data: { lastUsedAt: row.createdAt } });
    const links = [
      ...inputs.map((name, position) => ({ name, position, role: 'INPUT' as const })),
      ...(mask === null ? [] : [{ name: mask, position: 0, role: 'MASK' as const }]),
      ...outputs.map((name, position) => ({ name, position, role: 'OUTPUT' as const })),
    ];
    await prisma.image.createMany({
      skipDuplicates: true,
      data: links.map(({ name }) => ({
        id: imageIdOf(row.ownerId, name),
        ownerId: row.ownerId,
        sha256: createHash('sha256').update(name).digest('hex'),
        format: 'PNG' as const,
        width: 1,
        height: 1,
        bytes: 1,
        hasAlpha: false,
      })),
    });
    await prisma.editJob.create({
      data: {
        ...data,
        promptId,
        n: 1,
        ...(row.totalTokens !== null && {
          usage: {
            create: {
              totalTokens: row.totalTokens,
              inputTokens: 0,
              outputTokens: row.totalTokens,
              raw: {},
            },
          },
        }),
        ...(row.costMicroUsd !== null && {
          charges: { create: { amountMicroUsd: row.costMicroUsd, priceVersion: 'test' } },
        }),
        images: {
          create: links.map(({ name, position, role }) => ({
            imageId: imageIdOf(row.ownerId, name),
            position,
            role,
          })),
        },
      },
    });
  }
}
