import { IdempotencyKeys } from './idempotency-keys.ts';
import { SandboxAccount } from './sandbox-account.ts';
import { SandboxFile, type SandboxRecord } from './sandbox-file.ts';

/** All that a sandbox remembers: until its process ends or, in a file, longer. */
export class SandboxMemory {
  readonly account = new SandboxAccount();
  readonly keys = new IdempotencyKeys();
  readonly #file: SandboxFile | undefined;

  /**
   * @param path of the file; the account begins as it says.
   * @throws SandboxFileError
   */
  constructor(path?: string) {
    if (path === undefined) return;
    this.#file = SandboxFile.open(path, (record) => this.#take(record));
    // Only then: a second sandbox, started by mistake, leaves the file where the first one writes.
    if (this.#file.records > this.account.size + this.keys.size) this.#file.rewrite(this.#records());
  }

  /**
   * What one request has changed, to be kept before it is answered.
   *
   * @throws SandboxFileError, and nothing has changed.
   */
  keep(record: SandboxRecord): void {
    this.#file?.append(record);
    this.#take(record);
  }

  /** What is under way can be kept no more, if it would be in a file. */
  close(): void {
    this.#file?.close();
  }

  #take({ intent, key }: SandboxRecord): void {
    if (intent !== undefined) this.account.put(intent);
    if (key !== undefined) this.keys.finish(key);
  }

  *#records(): Generator<SandboxRecord> {
    for (const intent of this.account.intents) yield { intent };
    for (const key of this.keys.finished) yield { key };
  }
}
