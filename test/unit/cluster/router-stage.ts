import type { Intent } from '../../../src/actors/allocator/command.ts';
import type { ReservationNumber, ScheduleId, UserId } from '../../../src/actors/allocator/ids.ts';
import type { Schedule } from '../../../src/actors/runtime/catalog.ts';
import type { PaymentRequest } from '../../../src/actors/runtime/payment-request.ts';
import type { ShardRecord } from '../../../src/actors/runtime/ports.ts';
import { RouteTable } from '../../../src/cluster/route-table.ts';
import type { AnswerCall, Owner, ShardAnswer, ShardCall } from '../../../src/cluster/shard-call.ts';
import { ShardRouter } from '../../../src/cluster/shard-router.ts';
import { mark } from '../actors/allocator/schedule-script.ts';
import { ManualClock } from '../actors/runtime/manual-clock.ts';
import { a, NotedObserver, ScriptedHost, ScriptedPeers, shardId, timing } from './cluster-script.ts';

/** The only one; schedules 1 and 2 are in it. */
export const shard = shardId(0);
export const parkedCallsMax = 3;
export const payWaitMaxMs = 700;

const scheduleId = 1 as ScheduleId;
const userId = 'ann' as UserId;
const number = 1 as ReservationNumber;
const submit = (intent: Intent): ShardCall => ({ kind: 'submit', scheduleId, intent });
const payment: PaymentRequest = { ref: { scheduleId, number }, userId, method: 'points' };

/** `hold`, `block` and `pay` may not be carried out twice; the others may. */
export const calls = {
  hold: submit({ kind: 'hold', userId, seatIds: ['A1'] }),
  keyed: submit({ kind: 'hold', userId, seatIds: ['A1'], idempotency: mark('k') }),
  cancel: submit({ kind: 'cancel', userId, number }),
  block: submit({ kind: 'block', seatIds: ['A1'] }),
  pay: { kind: 'pay', payment },
  keyedPay: { kind: 'pay', payment: { ...payment, idempotency: mark('k') } },
  read: { kind: 'read', ref: { scheduleId, number }, userId },
  count: { kind: 'count', scheduleId },
  audit: { kind: 'audit', scheduleId },
} satisfies Record<string, ShardCall>;

/** The router of node a, between its own actors, other nodes and a store that do what a test says. */
export class RouterStage {
  readonly clock = new ManualClock();
  readonly peers = new ScriptedPeers();
  readonly host = new ScriptedHost();
  readonly observer = new NotedObserver();
  readonly routes = new RouteTable();
  /** What the store says of owners, when it is asked. */
  records: readonly ShardRecord[] = [];
  /** How often it was asked. */
  looks = 0;
  isStoreDown = false;
  /** Its questions are not answered before this is. */
  answered: Promise<void> | undefined;
  /** Schedules that the node will hear of when it asks. */
  toLearn: readonly number[] = [];
  /** Calls that the actors of this node have begun with, and wait for the disk. */
  readonly begun: { readonly label: string; readonly answer: AnswerCall }[] = [];
  readonly router: ShardRouter;
  readonly #known = new Set([1, 2]);

  constructor(shardCount = 1) {
    const { clock, peers, host, observer, routes } = this;
    const begin = (label: string, answer: AnswerCall) => this.begun.push({ label, answer });
    const owner = {
      submit: (_id: ScheduleId, intent: Intent, reply: AnswerCall) => begin(intent.kind, reply),
      pay: (_request: PaymentRequest, reply: AnswerCall) => begin('pay', reply),
      readReservation: (_ref: unknown, _userId: unknown, reply: AnswerCall) => begin('read', reply),
      countSeats: async () => ({ failure: 'overloaded', retryAfterSeconds: 1 }),
      audit: async () => [],
    } as unknown as Owner;
    this.router = new ShardRouter({
      instanceId: a,
      shardCount,
      host,
      owner,
      catalog: {
        schedule: (id) => (this.#known.has(id) ? ({} as Schedule) : undefined),
        learn: async () => {
          if (this.isStoreDown) throw new Error('down');
          for (const id of this.toLearn) this.#known.add(id);
        },
      },
      routes,
      peers,
      clock,
      observer,
      parkedCallsMax,
      payWaitMaxMs,
      parkMaxMs: timing.parkMaxMs,
      callMaxMs: timing.callMaxMs,
      readOwners: () => this.#readOwners(),
    });
  }

  route(call: ShardCall): Told {
    const told = new Told();
    this.router.route(call, (answer) => told.take(answer));
    return told;
  }

  /** A call that node b has forwarded. */
  receive(call: ShardCall, hops = 1): Told {
    const told = new Told();
    this.router.receive({ call, hops }, (answer) => told.take(answer as ShardAnswer));
    return told;
  }

  /** Every 100 ms the store is asked, and calls that wait are tried again. */
  look(): Promise<void> {
    return this.clock.advance(100);
  }

  async #readOwners(): Promise<void> {
    this.looks += 1;
    await this.answered;
    if (this.isStoreDown) throw new Error('down');
    this.router.onRoutesChanged(this.routes.read(this.records));
  }
}

/** What a caller was told, once. */
class Told {
  answer: ShardAnswer | undefined;

  take(answer: ShardAnswer): void {
    if (this.answer !== undefined) throw new Error('an answer comes once');
    this.answer = answer;
  }

  get word(): string {
    if (this.answer === undefined) return 'waiting';
    if (this.answer.kind !== 'unavailable') return this.answer.kind;
    return `${this.answer.code}${this.answer.isUntouched ? ' untouched' : ''}`;
  }
}

export const owned = (owner: string, epoch = 1): ShardRecord => ({ shardId: shard, owner, epoch });
