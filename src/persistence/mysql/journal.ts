import { assert } from '../../actors/allocator/assert.ts';
import type { ShardId } from '../../actors/allocator/ids.ts';
import {
  CommitOutcomeUnknown,
  type CommitResolution,
  type ShardEpoch,
  StoreUnavailable,
} from '../../actors/runtime/ports.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { endNamedSessions } from '../../mysql/named-session.ts';
import { type Changed, CommitFault, type MySqlSession } from '../../mysql/session.ts';
import { sqlList } from '../../mysql/sql-values.ts';
import type { BatchColumns, JournalColumns } from '../journal-columns.ts';
import { Outage, withPatience } from './patience.ts';
import { ShardTransfer } from './shard-transfer.ts';
import type { WritingSession } from './writing-session.ts';

/**
 * Shards and the event log in MySQL: who may write, and what was written. Keeps I2, I3 and, by the log's primary
 * key, I6. All of it runs on one connection, a transaction at a time.
 *
 * The fence of a batch is an UPDATE of its shards' rows, found by primary key and so locked in their order: a
 * current read, which a plain SELECT is not. It goes to the server in one packet with the rows; COMMIT follows
 * when every shard has matched. So a fault before COMMIT was sent left nothing, and the same batch is sent again;
 * a fault of COMMIT itself is CommitOutcomeUnknown.
 */
export class Journal {
  readonly #session: WritingSession;
  /** This run of the process: its own connections are not ended when it claims. */
  readonly #holder: string;
  readonly #patienceMs: number;
  readonly #outage = new Outage();

  /**
   * @param patienceMs how long a call tries. Less than the limit of the call on the other thread, so that this side
   * is the one to say what failed.
   */
  constructor(session: WritingSession, holder: string, patienceMs: number) {
    this.#session = session;
    this.#holder = holder;
    this.#patienceMs = patienceMs;
  }

  claimShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    if (shardIds.length === 0) return Promise.resolve([]);
    const values = inOrder(shardIds).map((shardId) => sqlList([shardId, 1, owner, 0]));
    const claim = `INSERT INTO shard (shard_id, epoch, owner, last_batch) VALUES ${values}
      ON DUPLICATE KEY UPDATE epoch = epoch + 1, owner = VALUES(owner), last_batch = 0`;
    return this.#transaction(async (session) => {
      await this.#endOwners(session, owner, shardIds);
      await session.change('START TRANSACTION');
      await session.raw('INSERT INTO shard … ON DUPLICATE KEY UPDATE', claim);
      return inOrderOf(shardIds, await readEpochs(session, shardIds));
    });
  }

  transferShards(
    shards: readonly ShardEpoch[],
    newOwner: string,
    how: 'given' | 'taken',
  ): Promise<readonly ShardEpoch[]> {
    if (shards.length === 0) return Promise.resolve([]);
    const shardIds = shards.map(({ shardId }) => shardId);
    const transfer = new ShardTransfer(shards, newOwner);
    const epochs = new Map(shards.map(({ shardId, epoch }) => [shardId, epoch]));
    const attempt = async () => {
      const session = await this.#session.open();
      if (how === 'taken') await this.#endOwners(session, newOwner, shardIds, epochs);
      return transfer.attempt(session);
    };
    return this.#session.exclusively(async () => {
      const transferred = await withPatience(this.#patienceMs, attempt, this.#outage);
      return inOrderOf(
        shardIds,
        transferred.map(({ shardId, epoch }) => [shardId, epoch]),
      );
    });
  }

  /**
   * A frozen owner may hold rows in a transaction that nobody ends; its connections are ended, so that nobody need
   * wait for it.
   */
  async #endOwners(
    session: MySqlSession,
    newOwner: string,
    shardIds: readonly ShardId[],
    epochs?: ReadonlyMap<ShardId, number>,
  ): Promise<void> {
    const rows = await session.rows<[ShardId, number, string]>(
      `SELECT shard_id, epoch, owner FROM shard WHERE shard_id IN ${sqlList(shardIds)}`,
    );
    // Whoever has a shard under another epoch than ours is nobody whom we know to be dead.
    const isMeant = (shardId: ShardId, epoch: number) =>
      epochs === undefined || epochs.get(shardId) === epoch;
    const owners = new Set(rows.flatMap(([id, epoch, owner]) => (isMeant(id, epoch) ? [owner] : [])));
    for (const owner of owners) {
      if (owner !== newOwner && owner !== this.#holder) await endNamedSessions(session, owner);
    }
  }

  renewShards(owner: string, shardIds: readonly ShardId[]): Promise<readonly ShardEpoch[]> {
    if (shardIds.length === 0) return Promise.resolve([]);
    const ids = sqlList(inOrder(shardIds));
    return this.#transaction(async (session) => {
      await session.change('START TRANSACTION');
      await session.change(
        `UPDATE ${shardByKey} SET epoch = epoch + 1 WHERE shard_id IN ${ids} AND owner = ?`,
        [owner],
      );
      const rows = await session.rows<[ShardId, number]>(
        `SELECT shard_id, epoch FROM shard WHERE shard_id IN ${ids} AND owner = ?`,
        [owner],
      );
      return inOrderOf(shardIds, rows);
    });
  }

  commit(batch: BatchColumns): Promise<'committed' | 'fenced'> {
    const fenced = new Set(batch.shards.map(({ shardId }) => shardId));
    for (const shardId of batch.rows.shardId) {
      assert(fenced.has(shardId), `a row of shard ${shardId} in a batch that does not fence it`);
    }
    if (batch.shards.length === 0) return Promise.resolve('committed');
    const fence = fenceSql(batch);
    const append = batch.rows.count === 0 ? '' : `;${appendSql(batch.rows)}`;
    const text = `START TRANSACTION;${fence}${append}`;
    return this.#session.exclusively(() =>
      withPatience(this.#patienceMs, () => this.#commitOnce(batch, fence, text), this.#outage),
    );
  }

  async #commitOnce(batch: BatchColumns, fence: string, text: string): Promise<'committed' | 'fenced'> {
    const startedMs = performance.now();
    const session = await this.#session.open();
    let isOurs: boolean;
    try {
      isOurs = await sendBatch(session, batch, text);
    } catch (error) {
      await session.rollback();
      // Somebody else's rows stand where these would go: the fence tells whether that is somebody's right.
      const isTaken = error instanceof MySqlFault && error.isConstraint;
      if (isTaken && !(await this.#holdsFence(session, batch, fence))) return 'fenced';
      throw error;
    }
    if (!isOurs) {
      await session.rollback();
      return 'fenced';
    }
    try {
      await session.commit();
    } catch (error) {
      this.#outage.noteFault(startedMs);
      throw new CommitOutcomeUnknown((error as Error).message, { cause: error });
    }
    return 'committed';
  }

  async #holdsFence(session: MySqlSession, { shards }: BatchColumns, fence: string): Promise<boolean> {
    await session.change('START TRANSACTION');
    try {
      const { affectedRows } = (await session.raw(fenceStatement, fence)) as Changed;
      return affectedRows === shards.length;
    } finally {
      await session.rollback();
    }
  }

  /** The connection of the lost commit is ended first (named-session.ts), so that its row locks are not waited for. */
  resolveCommit(batchNumber: number, shards: readonly ShardEpoch[]): Promise<CommitResolution> {
    const ids = sqlList(inOrder(shards.map(({ shardId }) => shardId)));
    const raise = `UPDATE ${shardByKey} SET epoch = epoch + 1
      WHERE shard_id IN ${ids} AND epoch = ${epochCase(shards)}`;
    return this.#transaction(async (session) => {
      await session.change('START TRANSACTION');
      const { affectedRows } = (await session.raw('UPDATE shard SET epoch = epoch + 1 …', raise)) as Changed;
      if (affectedRows !== shards.length) return { outcome: 'fenced' } as const;
      const rows = await session.rows<[ShardId, number, number]>(
        `SELECT shard_id, epoch, last_batch FROM shard WHERE shard_id IN ${ids}`,
      );
      const written = rows.filter(([, , lastBatch]) => lastBatch === batchNumber).length;
      assert(
        written === 0 || written === shards.length,
        `batch ${batchNumber} reached ${written} of its ${shards.length} shards`,
      );
      const raised = rows.map(([shardId, epoch]) => ({ shardId, epoch }));
      return { outcome: written === 0 ? 'not-committed' : 'committed', shards: raised } as const;
    });
  }

  /**
   * `work` begins a transaction and may be tried again; it is committed, or rolled back where the answer is
   * 'fenced'. A commit of unknown outcome is StoreUnavailable: these calls only raise epochs, and whoever doubts
   * his epochs renews them.
   */
  #transaction<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    const attempt = async () => {
      const session = await this.#session.open();
      try {
        const result = await work(session);
        const isFenced = (result as { outcome?: unknown }).outcome === 'fenced';
        if (isFenced) await session.rollback();
        else await session.commit();
        return result;
      } catch (error) {
        await session.rollback();
        if (error instanceof CommitFault) throw new StoreUnavailable(error.message, { cause: error });
        throw error;
      }
    };
    return this.#session.exclusively(() => withPatience(this.#patienceMs, attempt, this.#outage));
  }
}

/** @returns whether every shard was found under the batch's epoch, with an older batch. */
async function sendBatch(session: MySqlSession, { shards }: BatchColumns, text: string): Promise<boolean> {
  const [, fenced] = (await session.raw('UPDATE shard …; INSERT INTO event_log …', text)) as Changed[];
  return fenced!.affectedRows === shards.length;
}

/** Of many shards a scan would seem cheaper, which has to look at rows that are other nodes'. */
const shardByKey = 'shard FORCE INDEX (PRIMARY)';

const fenceStatement =
  'UPDATE shard SET last_batch = ? WHERE shard_id IN (…) AND epoch = … AND last_batch < ?';

function fenceSql({ batchNumber, shards }: BatchColumns): string {
  const ids = sqlList(inOrder(shards.map(({ shardId }) => shardId)));
  const batch = Number(batchNumber);
  return `UPDATE ${shardByKey} SET last_batch = ${batch}
    WHERE shard_id IN ${ids} AND epoch = ${epochCase(shards)} AND last_batch < ${batch}`;
}

const epochCase = (shards: readonly ShardEpoch[]): string =>
  `CASE shard_id ${shards.map(({ shardId, epoch }) => `WHEN ${Number(shardId)} THEN ${Number(epoch)}`).join(' ')} END`;

function appendSql(rows: JournalColumns): string {
  const { count, scheduleId, seq, shardId, atMs, type, payload } = rows;
  const values = new Array<string>(count);
  for (let i = 0; i < count; i++) {
    values[i] = sqlList([scheduleId[i]!, seq[i]!, shardId[i]!, atMs[i]!, type[i]!, payload[i]!]);
  }
  return `INSERT INTO event_log (schedule_id, seq, shard_id, at_ms, type, payload) VALUES ${values.join(',')}`;
}

const inOrder = (shardIds: readonly ShardId[]): ShardId[] => [...shardIds].sort((a, b) => a - b);

async function readEpochs(session: MySqlSession, shardIds: readonly ShardId[]): Promise<[ShardId, number][]> {
  return await session.rows(
    `SELECT shard_id, epoch FROM shard WHERE shard_id IN ${sqlList(inOrder(shardIds))}`,
  );
}

/** In the order in which they were asked for. */
function inOrderOf(shardIds: readonly ShardId[], rows: readonly [ShardId, number][]): ShardEpoch[] {
  const epochs = new Map(rows);
  return shardIds.flatMap((shardId) => {
    const epoch = epochs.get(shardId);
    return epoch === undefined ? [] : [{ shardId, epoch }];
  });
}
