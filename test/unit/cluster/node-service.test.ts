import { beforeEach, describe, expect, test } from 'vitest';
import { type ScheduleId, shardOf } from '../../../src/actors/allocator/ids.ts';
import type { SeatWatcher } from '../../../src/actors/runtime/shard-host.ts';
import { NodeService } from '../../../src/cluster/node-service.ts';
import type { ShardGiver } from '../../../src/cluster/shard-giver.ts';
import { done, failed } from '../../../src/cluster/shard-order.ts';
import type { ShardRouter } from '../../../src/cluster/shard-router.ts';
import type { ShardTaker } from '../../../src/cluster/shard-taker.ts';
import { a, b, ScriptedHost } from './cluster-script.ts';

const shardCount = 4;
const from = { instanceId: b };

let host: ScriptedHost;
let held: boolean;
let asked: string[];
let service: NodeService;

beforeEach(() => {
  host = new ScriptedHost();
  held = false;
  asked = [];
  const noted = (what: string) => async () => {
    asked.push(what);
    return done;
  };
  const router = {
    receive: (body: unknown, reply: (answer: unknown) => void) => reply(['routed', body]),
    isHeld: () => held,
  };
  service = new NodeService({
    instanceId: a,
    shardCount,
    host,
    router: router as unknown as ShardRouter,
    giver: { give: noted('give') } as unknown as ShardGiver,
    taker: {
      preload: noted('preload'),
      activate: noted('activate'),
      claim: noted('claim'),
    } as unknown as ShardTaker,
    drain: () => {
      asked.push('drain');
      return done;
    },
  });
});

const serve = (method: string, body: object) =>
  new Promise((resolve) => service.serve(method, body, from, resolve));

describe('another node asks', () => {
  test('for a call to be carried out', async () => {
    expect(await serve('call', { hops: 1 })).toEqual(['routed', { hops: 1 }]);
  });

  test.each(['preload', 'activate'])('to %s: the store checks what that is worth', async (method) => {
    expect([await serve(method, {}), asked]).toEqual([done, [method]]);
  });

  test.each(['claim', 'give', 'drain'])('to %s, this run and no other', async (method) => {
    expect(await serve(method, { instanceId: 'a/0@a:1' })).toEqual(failed(`this is ${a}`));
    expect(asked).toEqual([]);
    expect([await serve(method, { instanceId: a }), asked]).toEqual([done, [method]]);
  });

  test('whether it lives, which another run of it does not answer for it', async () => {
    expect(await serve('ping', { instanceId: a })).toEqual(done);
    expect(await serve('ping', { instanceId: 'a/0@a:1' })).toMatchObject({ isDone: false });
  });

  test('what a later version knows', async () => {
    expect(await serve('dance', { instanceId: a })).toEqual(failed('this version knows no dance'));
  });
});

describe('the free seats of a schedule are told', () => {
  const scheduleId = 1 as ScheduleId;
  const stream = (method = 'seats', body: object = { scheduleId }) => service.stream(method, body, () => {});
  beforeEach(() => host.served.set(shardOf(scheduleId, shardCount), 1));

  test('where its shard is served, until nobody listens', () => {
    const watched: (ScheduleId | 'ended')[] = [];
    host.watchSeats = (id: ScheduleId, _watcher: SeatWatcher) => {
      watched.push(id);
      return () => watched.push('ended');
    };
    stream()!();
    expect(watched).toEqual([1, 'ended']);
  });

  test.each<[string, () => unknown]>([
    [
      'where it is not',
      () => {
        host.served.clear();
        return stream();
      },
    ],
    [
      'while its calls are held: nobody knows what is free elsewhere by now',
      () => {
        held = true;
        return stream();
      },
    ],
    ['of no schedule', () => stream('seats', { scheduleId: 'one' })],
    ['in words that only a later version knows', () => stream('chairs')],
  ])('not %s', (_what, open) => {
    expect(open()).toBeUndefined();
  });
});
