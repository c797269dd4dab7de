import { sharedMariaDb } from '../servers/shared-servers.ts';
import { temporaryDirectory, UsherProcess } from './usher-process.ts';

/** Where nodes can keep everything; what is promised of one is promised of the other. */
export const storeKinds = ['SQLite', 'MySQL'] as const;
export type StoreKind = (typeof storeKinds)[number];

/** A store of a test's own, empty at first. Its nodes come and go. */
export class NodeStore {
  /** Undefined: SQLite. */
  readonly mysqlUrl: string | undefined;
  readonly #directory = temporaryDirectory();

  private constructor(mysqlUrl: string | undefined) {
    this.mysqlUrl = mysqlUrl;
  }

  static async open(kind: StoreKind): Promise<NodeStore> {
    return new NodeStore(kind === 'MySQL' ? await sharedMariaDb().createDatabase() : undefined);
  }

  /** @param nodeOptions of Node itself. */
  start(
    environment: Record<string, string> = {},
    nodeOptions: readonly string[] = [],
  ): Promise<UsherProcess> {
    const store: Record<string, string> = this.mysqlUrl === undefined ? {} : { MYSQL_URL: this.mysqlUrl };
    return UsherProcess.start(this.#directory.path, { ...store, ...environment }, 'serve', nodeOptions);
  }

  /** After its last node has ended. */
  async remove(): Promise<void> {
    this.#directory.remove();
    if (this.mysqlUrl !== undefined) await sharedMariaDb().dropDatabase(this.mysqlUrl);
  }
}
