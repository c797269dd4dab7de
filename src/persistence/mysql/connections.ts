import { MySqlFault } from '../../mysql/mysql-fault.ts';
import { MySqlSession, type SessionOptions, type StatementObserver } from '../../mysql/session.ts';
import { SessionPool, type SessionPoolStats } from '../../mysql/session-pool.ts';
import type { MySqlWorkerData } from './mysql-worker-data.ts';
import { unavailableOf } from './patience.ts';
import { WritingSession } from './writing-session.ts';

/** A caller of a read waits so long for a connection. */
const waitLimitMs = 2_000;
const waitingMax = 1_000;

/** Reading a whole schedule, or a step of the schema: under the limit of the call on the other thread. */
export const longLimitMs = 50_000;

/** A replica has a person waiting for it whom the primary would answer: for a connection so long, and for a statement. */
const replicaLimitMs = 1_000;

/** How long the primary answers for a replica that did not. */
const replicaRestMs = 5_000;

interface ConnectionsObserver extends StatementObserver {
  /** The primary answers in its place for a while. */
  onReplicaFault(fault: MySqlFault): void;
}

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
  readonly #session: SessionOptions;
  readonly #observer: ConnectionsObserver;
  readonly #apart = new Set<MySqlSession>();
  #isClosing = false;
  #replicaRestsUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ primary, replica, holder, poolMax }: MySqlWorkerData, observer: ConnectionsObserver) {
    const session: SessionOptions = { ...primary, observer };
    this.#session = session;
    this.#observer = observer;
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
      waitLimitMs: longLimitMs,
      session: { ...session, statementLimitMs: longLimitMs },
    });
    this.#replica = replica && new SessionPool({ ...pool, ...replicaPool({ ...replica, observer }) });
  }

  /** On a connection of its own, for what is rare and may take long. Rejects with StoreUnavailable. */
  apart<T>(limitMs: number, work: (session: MySqlSession) => Promise<T>): Promise<T> {
    return answer(this.#runApart(limitMs, work));
  }

  async #runApart<T>(limitMs: number, work: (session: MySqlSession) => Promise<T>): Promise<T> {
    const session = await MySqlSession.open({ ...this.#session, statementLimitMs: limitMs });
    this.#apart.add(session);
    try {
      if (this.#isClosing) throw new MySqlFault('unavailable', 'the store is closed', {});
      return await work(session);
    } finally {
      this.#apart.delete(session);
      await session.end();
    }
  }

  /** Nobody waits any more for what is done apart. */
  abandonApart(): void {
    this.#isClosing = true;
    for (const session of this.#apart) session.destroy();
  }

  /** As read; rejects with MySqlFault. */
  use<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    return this.#reads.use(work);
  }

  /** What must be true now. Rejects with StoreUnavailable. */
  read<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    return answer(this.#reads.use(work));
  }

  /** Of whole schedules. Rejects with StoreUnavailable. */
  readForRecovery<T>(work: (session: MySqlSession) => Promise<T>): Promise<T> {
    return answer(
      this.#recovery.use(async (session) => {
        await this.#expectAnswer(session);
        return work(session);
      }),
    );
  }

  /** The long limit is for reading, and not for finding out that nobody is at the other end. */
  async #expectAnswer(session: MySqlSession): Promise<void> {
    const timer = setTimeout(() => session.destroy(), this.#session.statementLimitMs);
    await session.rows('SELECT 1').finally(() => clearTimeout(timer));
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
      // Several may have waited for it at the same time.
      const isFirst = performance.now() >= this.#replicaRestsUntilMs;
      this.#replicaRestsUntilMs = performance.now() + replicaRestMs;
      if (isFirst) this.#observer.onReplicaFault(error);
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

const replicaPool = (session: SessionOptions) => ({
  name: 'replica',
  waitLimitMs: replicaLimitMs,
  session: { ...session, statementLimitMs: Math.min(session.statementLimitMs, replicaLimitMs) },
});

async function answer<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw error instanceof MySqlFault ? unavailableOf(error) : error;
  }
}
