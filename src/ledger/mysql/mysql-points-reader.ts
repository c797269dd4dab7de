import type { UserId } from '../../actors/allocator/ids.ts';
import {
  type EntryPage,
  type EntryQuery,
  LedgerUnavailable,
  type PointsReader,
} from '../../actors/runtime/ledger.ts';
import type { Clock } from '../../actors/runtime/ports.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import { type EntryRow, entryColumns, entryPage } from '../entry-page.ts';
import type { ReadPool } from './read-pool.ts';

interface MySqlPointsReaderOptions {
  readonly primary: Pick<ReadPool, 'use'>;
  /** Undefined: the primary has all reads. */
  readonly replica: Pick<ReadPool, 'use'> | undefined;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** One indexed query a call; the index is forced where the primary key would do for a small LIMIT as well. */
export const balanceQuery = 'SELECT balance FROM point_account WHERE user_id = ?';
export const entriesQuery = `SELECT ${entryColumns} FROM point_entry FORCE INDEX (by_user)
  WHERE user_id = ? AND entry_id < ? ORDER BY entry_id DESC LIMIT ?`;

/**
 * PointsReader on its tables. A balance comes from the primary always: caches keep it, and a replica would fill
 * them with one that is gone. Entries come from the replica, and from the primary while the replica does not answer.
 */
export class MySqlPointsReader implements PointsReader {
  readonly #options: MySqlPointsReaderOptions;
  /** Until then the replica is not asked. */
  #replicaDownUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: MySqlPointsReaderOptions) {
    this.#options = options;
  }

  balanceOf(userId: UserId): Promise<number> {
    return this.#options.primary.use(async (session) => {
      const [row] = await session.rows<[number]>(balanceQuery, [userId]);
      return row?.[0] ?? 0;
    });
  }

  async listEntries(query: EntryQuery): Promise<EntryPage> {
    const { primary, replica, clock } = this.#options;
    const list = (session: MySqlSession) => listEntries(session, query);
    if (replica === undefined || clock.monotonicMs() < this.#replicaDownUntilMs) return primary.use(list);
    try {
      return await replica.use(list);
    } catch (error) {
      // One that has too much to do answers; the primary must not get all of that as well.
      if (!(error instanceof LedgerUnavailable)) throw error;
      this.#replicaDownUntilMs = clock.monotonicMs() + replicaDoubtMs;
      return primary.use(list);
    }
  }
}

/** A replica that did not answer is left alone for so long: each page that finds out anew waits for its limit. */
const replicaDoubtMs = 5_000;

async function listEntries(
  session: MySqlSession,
  { userId, limit, beforeEntryId }: EntryQuery,
): Promise<EntryPage> {
  const before = beforeEntryId ?? Number.MAX_SAFE_INTEGER;
  return entryPage(await session.rows<EntryRow>(entriesQuery, [userId, before, limit + 1]), limit);
}
