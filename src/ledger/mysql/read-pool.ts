import { LedgerOverloaded, LedgerUnavailable } from '../../actors/runtime/ledger.ts';
import { MySqlFault } from '../../mysql/mysql-fault.ts';
import type { MySqlSession } from '../../mysql/session.ts';
import { SessionPool, type SessionPoolOptions, type SessionPoolStats } from '../../mysql/session-pool.ts';

/** A pool whose callers know the ledger's errors: rejects with LedgerOverloaded or LedgerUnavailable. */
export class ReadPool {
  readonly #pool: SessionPool;
  readonly #waitingMax: number;

  constructor(options: SessionPoolOptions) {
    this.#pool = new SessionPool(options);
    this.#waitingMax = options.waitingMax;
  }

  stats(): SessionPoolStats {
    return this.#pool.stats();
  }

  async use<T>(read: (session: MySqlSession) => Promise<T>): Promise<T> {
    const { inUse, connectionsMax, waiting } = this.#pool.stats();
    if (inUse >= connectionsMax && waiting >= this.#waitingMax) {
      throw new LedgerOverloaded(`${waiting} reads wait for the ledger`);
    }
    try {
      return await this.#pool.use(read);
    } catch (error) {
      if (error instanceof MySqlFault) throw new LedgerUnavailable(error.message, { cause: error });
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}
