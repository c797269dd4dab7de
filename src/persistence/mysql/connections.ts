import { MySqlFault } from '../../mysql/mysql-fault.ts';
import type { MySqlSession, SessionOptions, StatementObserver } from '../../mysql/session.ts';
import { SessionPool, type SessionPoolStats } from '../../mysql/session-pool.ts';
import type { MySqlWorkerData } from './mysql-worker-data.ts';
import { unavailableOf } from './patience.ts';
import { WritingSession } from './writing-session.ts';

/** A caller of a read waits so long for a connection. */
const waitLimitMs = 2_000;
const waitingMax = 1_000;

/** Reading a whole schedule may take this long: under the limit of the call on the other thread. */
const recoveryLimitMs = 50_000;

/** How long the primary answers for a replica that did not. */
const replicaRestMs = 5_000;

/**
 * The connections of the store: one that commits batches, one that projects, and pools for reads. Apart, so that
 * no read and no projection ever stands before a commit.
 */
export class Connections {
  readonly commits: WritingSession;
  readonly projection: WritingSession;
  readonly #reads: SessionPool;
  readonly #recovery: SessionPool;
  readonly #replica: SessionPool | undefined;
  #replicaRestsUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ primary, replica, holder, poolMax }: MySqlWorkerData, observer: StatementObserver) {
    const session: SessionOptions = { ...primary, observer };
    // More than one statement a packet: the fence and its rows, and what a run of events leaves.
    const writing: SessionOptions = { ...session, multipleStatements: true };
    this.commits = new WritingSession(writing, holder, 'commit');
    this.projection = new WritingSession(writing, holder, 'projection');
    const pool = { connectionsMax: poolMax, waitingMax, waitLimitMs };
    this.#reads = new SessionPool({ ...pool, name: 'primary', session });
    this.#recovery = new SessionPool({
      ...pool,
      name: 'recovery',
      connectionsMax: 1,
      waitLimitMs: recoveryLimitMs,
      session: { ...session, statementLimitMs: recoveryLimitMs },
    });
    this.#replica =
      replica && new SessionPool({ ...pool, name: 'replica', session: { ...replica, observer } });
  }

  /** What must be true now. Rejects with StoreUnavailable. */
  read<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    return answer(this.#reads.use(work));
  }

  /** Of whole schedules. Rejects with StoreUnavailable. */
  readForRecovery<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    return answer(this.#recovery.use(work));
  }

  /**
   * What may lag: from the replica, if there is one; a replica that does not answer is left alone for a while,
   * and the primary answers. Rejects with StoreUnavailable.
   */
  async browse<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    if (this.#replica === undefined || performance.now() < this.#replicaRestsUntilMs) return this.read(work);
    try {
      return await this.#replica.use(work);
    } catch (error) {
      if (!(error instanceof MySqlFault)) throw error;
      this.#replicaRestsUntilMs = performance.now() + replicaRestMs;
      return this.read(work);
    }
  }

  stats(): SessionPoolStats[] {
    return [this.#reads, this.#recovery, ...(this.#replica === undefined ? [] : [this.#replica])].map(
      (pool) => pool.stats(),
    );
  }

  async close(): Promise<void> {
    await Promise.all([
      this.commits.close(),
      this.projection.close(),
      this.#reads.close(),
      this.#recovery.close(),
      this.#replica?.close(),
    ]);
  }
}

async function answer<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw error instanceof MySqlFault ? unavailableOf(error) : error;
  }
}
