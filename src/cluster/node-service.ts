import { shardOf } from '../actors/allocator/ids.ts';
import type { ShardHost } from '../actors/runtime/shard-host.ts';
import type { CallOrigin, PeerService } from './peers.ts';
import { type SeatMessage, type SeatStreamRequest, streamSeats } from './seat-messages.ts';
import type { ShardGiver } from './shard-giver.ts';
import {
  type ActivateOrder,
  type ClaimOrder,
  done,
  failed,
  type MoveOrder,
  type OrderResult,
  type PreloadOrder,
} from './shard-order.ts';
import type { ShardRouter } from './shard-router.ts';
import type { ShardTaker } from './shard-taker.ts';

/** What other nodes may ask of this one. Whoever asks has proved that it is a node; what it says may still be old. */
export class NodeService implements PeerService {
  readonly #options: NodeServiceOptions;

  constructor(options: NodeServiceOptions) {
    this.#options = options;
  }

  serve(method: string, body: unknown, _from: CallOrigin, reply: (answer: unknown) => void): void {
    const { router, taker, giver, drain, instanceId } = this.#options;
    if (typeof body !== 'object' || body === null) return reply(failed('this version knows no such body'));
    switch (method) {
      case 'call':
        return router.receive(body, reply);
      case 'preload':
        return answerWith(taker.preload(body as PreloadOrder), reply);
      case 'activate':
        return answerWith(taker.activate(body as ActivateOrder), reply);
    }
    // Another run of the node may have had this address.
    if ((body as { instanceId?: unknown }).instanceId !== instanceId) {
      return reply(failed(`this is ${instanceId}`));
    }
    switch (method) {
      case 'claim':
        return answerWith(taker.claim(body as ClaimOrder), reply);
      case 'give':
        return answerWith(giver.give(body as MoveOrder), reply);
      case 'drain':
        return reply(drain());
      case 'ping':
        return reply(done);
      default:
        return reply(failed(`this version knows no ${method}`));
    }
  }

  stream(method: string, body: unknown, send: (message: object) => void): (() => void) | undefined {
    const { host, router, shardCount } = this.#options;
    if (method !== 'seats') return undefined;
    const { scheduleId } = (body ?? {}) as Partial<SeatStreamRequest>;
    if (scheduleId === undefined || !Number.isSafeInteger(scheduleId)) return undefined;
    const shardId = shardOf(scheduleId, shardCount);
    if (!host.serves(shardId) || router.isHeld(shardId)) return undefined;
    return streamSeats(host, scheduleId, send as (message: SeatMessage) => void);
  }
}

function answerWith(result: Promise<OrderResult>, reply: (answer: unknown) => void): void {
  result.then(reply, (error: unknown) => reply(failed((error as Error).message)));
}

interface NodeServiceOptions {
  readonly instanceId: string;
  readonly shardCount: number;
  readonly host: ShardHost;
  readonly router: ShardRouter;
  readonly giver: ShardGiver;
  readonly taker: ShardTaker;
  drain(): OrderResult;
}
