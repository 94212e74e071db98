import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient, note, type Tally } from './client.ts';
import type { Ledger } from './ledger.ts';
import type { SampleImages } from './sample-images.ts';

/** What all who load the service share. */
export interface Stage {
  readonly url: string;
  readonly tally: Tally;
  readonly ledger: Ledger;
  readonly images: SampleImages;
  readonly random: () => number;
}

/** Does one thing. */
export type Turn = (client: Client) => Promise<void>;

/** So many clients that do the same again and again. */
export interface Role {
  readonly name: string;
  readonly clients: number;
  /** The longest pause between two turns, in milliseconds. */
  readonly pauseMs: number;
  turn(stage: Stage): Turn;
}

/** Resolves when the last turn of each has ended. */
export async function play(
  roles: readonly Role[],
  stage: Stage,
  isOver: () => boolean,
): Promise<void> {
  const perform = async ({ name, pauseMs, turn }: Role) => {
    const client = createClient(stage);
    const take = turn(stage);
    while (!isOver()) {
      await take(client).catch((error) => {
        note(stage.tally.wrong, `${name}: ${error}`.slice(0, 300));
      });
      await delay(stage.random() * pauseMs);
    }
    client.close();
  };
  await Promise.all(
    roles.flatMap((role) => Array.from({ length: role.clients }, () => perform(role))),
  );
}

export function pick<Item>(items: readonly Item[], random: () => number): Item {
  return items[Math.floor(random() * items.length)] as Item;
}
