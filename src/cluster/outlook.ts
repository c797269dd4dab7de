import type { ShardHost } from '../actors/runtime/shard-host.ts';
import type { Membership } from './membership.ts';
import type { Orders } from './orders.ts';

/**
 * Whether a node is of use to its clients: one that serves nothing and reaches nobody is not, whatever its secret or
 * its address have to do with it. One that serves something is: when two nodes don't reach each other, each still
 * sells its own.
 */
export class Outlook {
  readonly #options: OutlookOptions;
  #isCutOff = false;

  constructor(options: OutlookOptions) {
    this.#options = options;
  }

  /** As of the last look. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /** Asks some of those that live whether they answer. Never rejects. */
  async look(): Promise<void> {
    const { instanceId, host, membership, orders } = this.#options;
    const others = membership.live().filter((node) => node.instanceId !== instanceId);
    const isOfUse = others.length === 0 || host.servedShards().length > 0;
    const answers = isOfUse ? [true] : others.slice(0, askedMax).map((node) => orders.ping(node.instanceId));
    this.#isCutOff = !(await Promise.all(answers)).includes(true);
  }
}

const askedMax = 3;

interface OutlookOptions {
  readonly instanceId: string;
  readonly host: Pick<ShardHost, 'servedShards'>;
  readonly membership: Pick<Membership, 'live'>;
  readonly orders: Pick<Orders, 'ping'>;
}
