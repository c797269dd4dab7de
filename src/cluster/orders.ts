import { parseInstanceId } from './instance-id.ts';
import type { Peers } from './peers.ts';
import {
  type ClaimOrder,
  failed,
  failureWords,
  type MoveOrder,
  type OrderResult,
  readOrderResult,
} from './shard-order.ts';

/** Gives orders to nodes, this one among them. */
export class Orders {
  readonly #instanceId: string;
  readonly #peers: Peers;
  readonly #own: OwnOrders;

  constructor(instanceId: string, peers: Peers, own: OwnOrders) {
    this.#instanceId = instanceId;
    this.#peers = peers;
    this.#own = own;
  }

  claim(instanceId: string, order: ClaimOrder): Promise<OrderResult> {
    if (instanceId === this.#instanceId) return this.#own.claim(order);
    return this.#send(instanceId, 'claim', order, claimMaxMs);
  }

  give(instanceId: string, order: MoveOrder): Promise<OrderResult> {
    if (instanceId === this.#instanceId) return this.#own.give(order);
    return this.#send(instanceId, 'give', order, giveMaxMs);
  }

  /** The node takes no more shards, and its own are to go. */
  async drain(instanceId: string): Promise<OrderResult> {
    if (instanceId === this.#instanceId) return this.#own.drain();
    return this.#send(instanceId, 'drain', {}, orderMaxMs);
  }

  /** Whether the node answers, whatever the registry says. */
  async ping(instanceId: string): Promise<boolean> {
    if (instanceId === this.#instanceId) return true;
    return (await this.#send(instanceId, 'ping', {}, pingMaxMs)).isDone;
  }

  #send(instanceId: string, method: string, order: object, limitMs: number): Promise<OrderResult> {
    const address = parseInstanceId(instanceId)?.address ?? '';
    if (address === '') return Promise.resolve(failed('the node has no address'));
    return new Promise((resolve) => {
      this.#peers.call(address, method, { ...order, instanceId }, limitMs, (result) =>
        resolve('failure' in result ? failed(failureWords[result.failure]) : readOrderResult(result.answer)),
      );
    });
  }
}

/** A move is as slow as its halls are large and its store is. */
const giveMaxMs = 60_000;
const claimMaxMs = 30_000;
const orderMaxMs = 2_000;
const pingMaxMs = 500;

interface OwnOrders {
  claim(order: ClaimOrder): Promise<OrderResult>;
  give(order: MoveOrder): Promise<OrderResult>;
  drain(): OrderResult;
}
