import type { Intent } from '../../../../src/actors/allocator/command.ts';
import type {
  PerformanceId,
  ReservationNumber,
  ScheduleId,
  ShardId,
  VenueId,
} from '../../../../src/actors/allocator/ids.ts';
import { Directory } from '../../../../src/actors/runtime/directory.ts';
import type { ShardEpoch } from '../../../../src/actors/runtime/ports.ts';
import { silentObserver } from '../../../../src/actors/runtime/runtime-observer.ts';
import type { SealedSchedule } from '../../../../src/actors/runtime/shard-host.ts';
import { user } from '../allocator/schedule-script.ts';
import { layoutOf } from '../hall-drawing.ts';
import { Answer } from './actor-stage.ts';
import { stageLimits } from './directory-stage.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedGateway } from './scripted-gateway.ts';
import { ScriptedLedger } from './scripted-ledger.ts';
import { ScriptedStore } from './scripted-store.ts';

export const trustMs = 1_000;

/** One shard with two schedules, 1 and 2, of a hall of four seats at 500 each. */
export const shard = 0 as ShardId;

/** What nodes have in common: the store, the ledger, the gateway, and the time. */
export class HostStage {
  readonly store = new ScriptedStore();
  readonly clock = new ManualClock();
  readonly ledger = new ScriptedLedger();
  readonly gateway = new ScriptedGateway();

  constructor() {
    this.store.venues.push(layoutOf([{ name: 'stalls', rows: ['pppp'] }]));
    this.store.performances.push({
      performanceId: 1 as PerformanceId,
      name: 'Show',
      venueId: 1 as VenueId,
      currency: 'EUR',
      prices: [{ category: 'p', priceMinor: 500 }],
      orphanRule: false,
    });
    this.addSchedule(1);
    this.addSchedule(2);
    this.ledger.balances.set('ann', 5_000);
  }

  addSchedule(scheduleId: number): void {
    this.store.schedules.push({
      scheduleId: scheduleId as ScheduleId,
      performanceId: 1 as PerformanceId,
      startsAtMs: 9_000_000,
      available: 4,
    });
  }

  async node(name: string): Promise<HostedNode> {
    const node = new HostedNode(name, this);
    await node.directory.start();
    return node;
  }

  /** A node that has just claimed the shard, and knows that it has. */
  async owner(name: string): Promise<HostedNode> {
    const node = await this.node(name);
    const askedAtMs = this.clock.monotonicMs();
    await node.host.serve(await this.transfer(this.store.shards.get(shard)?.epoch ?? 0, name), askedAtMs);
    // An answer to a question of the same moment would say nothing about it.
    await this.clock.advance(1);
    await node.directory.confirmShards();
    return node;
  }

  transfer(epoch: number, name: string): Promise<readonly ShardEpoch[]> {
    return this.store.transferShards([{ shardId: shard, epoch }], name);
  }

  /** seq and type of what is on disk of schedule 1. */
  get journal(): readonly string[] {
    return (this.store.journal.get(1 as ScheduleId) ?? []).map((row) => `${row.seq} ${row.type}`);
  }
}

/** The actors of one node of a cluster. */
export class HostedNode {
  readonly faults: string[] = [];
  readonly directory: Directory;
  readonly #stage: HostStage;

  constructor(name: string, stage: HostStage) {
    const { store, ledger, gateway, clock } = stage;
    this.#stage = stage;
    this.directory = new Directory({
      store,
      ledger,
      gateway,
      clock,
      ids: { instanceId: () => name },
      observer: { ...silentObserver, onFault: (fault, error) => this.faults.push(`${fault}: ${error}`) },
      shardCount: 1,
      trustMs,
      limits: stageLimits,
    });
  }

  get host() {
    return this.directory.shards;
  }

  submit(intent: Intent, scheduleId = 1): Answer {
    const answer = new Answer();
    this.directory.submit(scheduleId as ScheduleId, intent, (outcome) => answer.take(outcome));
    return answer;
  }

  /** Submits, and lets it come to the disk. */
  async done(intent: Intent, scheduleId = 1): Promise<Answer> {
    await this.directory.confirmShards();
    const answer = this.submit(intent, scheduleId);
    await this.#stage.clock.settle();
    return answer;
  }

  pay(number: number, name: string, cardToken?: string): Answer {
    const answer = new Answer();
    this.directory.pay(
      {
        ref: { scheduleId: 1 as ScheduleId, number: number as ReservationNumber },
        userId: user(name),
        ...(cardToken === undefined ? { method: 'points' as const } : { method: 'card' as const, cardToken }),
      },
      (outcome) => answer.take(outcome),
    );
    return answer;
  }

  /** Gives the shard to the other node, as a live move does. */
  async giveTo(other: HostedNode, name: string): Promise<readonly SealedSchedule[]> {
    const sealed = await this.host.seal(shard);
    const [before] = this.host.servedShards();
    const given = await this.#stage.transfer(before?.epoch ?? 0, name);
    await other.host.serve(given, this.#stage.clock.monotonicMs(), sealed);
    this.host.release(shard);
    await other.directory.confirmShards();
    return sealed;
  }
}
