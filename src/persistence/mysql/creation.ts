import { randomUUID } from 'node:crypto';
import type { IdempotencyMark } from '../../actors/allocator/event.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { CommitFault, type MySqlSession } from '../../mysql/session.ts';
import { withPatience } from './patience.ts';

export interface Creator {
  /** Gives a session for the time of `work`. Rejects with MySqlFault when there is none. */
  readonly use: <T>(work: (session: MySqlSession) => Promise<T>) => Promise<T>;
  /** A creation is tried for so long. */
  readonly patienceMs: number;
}

type Kind = 'venue' | 'performance' | 'schedule';

/**
 * Makes an entry of the catalogue once: the next id, the rows and the mark, or nothing. The counter's row is locked,
 * so creations follow one another.
 *
 * The entry keeps the name of the call that made it. When the answer of COMMIT was lost, whether the entry with this
 * id has this name tells what became of it; the creation goes again only if it came to nothing. Otherwise a second
 * entry would be made, or the caller's key be found taken, and nothing could be made with it any more.
 *
 * Rejects with StoreUnavailable, and then nothing was made, unless the server is still away after a lost COMMIT.
 */
export function createEntry<Id extends number>(
  { use, patienceMs }: Creator,
  kind: Kind,
  mark: IdempotencyMark | undefined,
  insert: (session: MySqlSession, id: Id, creation: string) => Promise<void>,
): Promise<Id> {
  const creation = randomUUID().replaceAll('-', '');
  /** Whose COMMIT had no answer. */
  let doubtful: Id | undefined;
  return withPatience(patienceMs, async () => {
    if (doubtful !== undefined) {
      const lost = doubtful;
      if (await use((session) => isMadeBy(session, kind, lost, creation))) return lost;
      doubtful = undefined;
    }
    let id: Id | undefined;
    try {
      return await use((session) =>
        session.transaction(async () => {
          id = await nextId<Id>(session, kind);
          await insert(session, id, creation);
          if (mark !== undefined) await remember(session, mark, id);
          return id;
        }),
      );
    } catch (error) {
      if (!(error instanceof CommitFault)) throw error;
      doubtful = id;
      throw new MySqlFault('reconnect', error.message, { cause: error });
    }
  });
}

async function nextId<Id extends number>(session: MySqlSession, kind: Kind): Promise<Id> {
  await session.change('UPDATE catalog_counter SET last_id = last_id + 1 WHERE name = ?', [kind]);
  const [row] = await session.rows<[Id]>('SELECT last_id FROM catalog_counter WHERE name = ?', [kind]);
  return row![0];
}

async function remember(session: MySqlSession, mark: IdempotencyMark, id: number): Promise<void> {
  const { key, fingerprint } = mark;
  await session.change('INSERT INTO creation_mark (idempotency_key, fingerprint, id) VALUES (?, ?, ?)', [
    key,
    fingerprint,
    id,
  ]);
}

/** Waits for the transaction that may have made it: that one holds the counter's row until it is over. */
async function isMadeBy(session: MySqlSession, kind: Kind, id: number, creation: string): Promise<boolean> {
  await session.change('START TRANSACTION');
  try {
    await session.rows('SELECT last_id FROM catalog_counter WHERE name = ? FOR UPDATE', [kind]);
    const [row] = await session.rows<[string]>(`SELECT creation FROM ${kind} WHERE ${kind}_id = ?`, [id]);
    return row?.[0] === creation;
  } finally {
    await session.rollback();
  }
}
