import { openNamedSession, type SessionRole } from '../../mysql/named-session.ts';
import type { MySqlSession, SessionOptions } from '../../mysql/session.ts';
import { Exclusive } from './exclusive.ts';

/**
 * The one connection of this process for a kind of transaction, opened when it is first needed and again when it
 * was lost. Work on it runs one after another.
 */
export class WritingSession {
  readonly #options: SessionOptions;
  readonly #holder: string;
  readonly #role: SessionRole;
  readonly #exclusive = new Exclusive();
  #session: MySqlSession | undefined;

  constructor(options: SessionOptions, holder: string, role: SessionRole) {
    this.#options = options;
    this.#holder = holder;
    this.#role = role;
  }

  /** Nothing else of this session runs until `work` is over; it may use the session more than once. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#exclusive.run(work);
  }

  /** Rejects with MySqlFault. To be called within `exclusively`. */
  async open(): Promise<MySqlSession> {
    if (this.#session?.isOpen !== true) {
      this.#session = await openNamedSession(this.#options, this.#holder, this.#role);
    }
    return this.#session;
  }

  close(): Promise<void> {
    return this.exclusively(async () => await this.#session?.end());
  }
}
