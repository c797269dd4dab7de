import { describe, expect, test } from 'vitest';
import { idempotencyWindowMs } from '../../../../src/actors/allocator/idempotency-window.ts';
import { mark } from '../allocator/schedule-script.ts';
import { ActorStage, cancelIntent, extendIntent, holdIntent } from './actor-stage.ts';

describe('an answer goes out when what it rests on is on disk', () => {
  test('a hold: decided at once, answered after its commit (I2)', async () => {
    const stage = await ActorStage.awake();
    stage.store.hold('commit');
    const answer = stage.submit(holdIntent('ann', ['A1', 'A2']));
    await stage.clock.settle();
    expect(stage.actor.state?.seq).toBe(1);
    expect(answer.said).toBe('waiting');
    stage.store.release('commit');
    await stage.clock.settle();
    expect(answer.outcome).toEqual({
      kind: 'reservation',
      replayed: false,
      view: {
        scheduleId: 7,
        number: 1,
        userId: 'ann',
        status: 'HELD',
        seats: [0, 1],
        totalMinor: 2_000,
        heldAtMs: 1_000_000,
        expiresAtMs: 1_005_000,
        endedAtMs: 0,
        paidAtMs: 0,
        asOfMs: 1_000_000,
        seq: 1,
      },
    });
    expect(stage.journal).toEqual(['1 held']);
  });

  test("a refusal waits for somebody's open hold (I9)", async () => {
    const stage = await ActorStage.awake();
    stage.store.hold('commit');
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    const refusal = stage.submit(holdIntent('bob', ['A1']));
    await stage.clock.settle();
    expect(refusal.said).toBe('waiting');
    stage.store.release('commit');
    await stage.clock.settle();
    expect(refusal.said).toBe('seats-taken');
  });

  test('a refusal that rests on nothing open is answered at once', async () => {
    const stage = await ActorStage.awake();
    expect(stage.submit(holdIntent('bob', ['Z1'])).said).toBe('unknown-seats');
    expect(stage.store.sent).toEqual([]);
  });

  test('free seats are shown as of the last commit', async () => {
    const stage = await ActorStage.awake();
    stage.store.hold('commit');
    stage.submit(holdIntent('ann', ['A1', 'A2']));
    await stage.clock.settle();
    const view = stage.actor.readAvailability();
    expect([view?.seq, view?.available]).toEqual([0, 4]);
    stage.submit(holdIntent('ann', ['A3']));
    stage.store.release('commit');
    stage.store.hold('commit');
    await stage.clock.settle();
    expect([view?.seq, view?.available], 'the next commit is still under way').toEqual([1, 2]);
    stage.store.release('commit');
    await stage.clock.settle();
    expect([view?.seq, view?.available]).toEqual([2, 1]);
    expect(stage.published).toEqual([4, 2, 1]);
  });

  test('counts are those of one durable moment', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1', 'A2']));
    const counts = stage.actor.countSeats();
    stage.submit({ kind: 'block', seatIds: ['A4'] });
    await stage.clock.settle();
    const expected = { seq: 1, capacity: 4, free: 2, held: 2, paying: 0, paid: 0, blocked: 0 };
    expect(await counts).toEqual(expected);
  });
});

describe('what a command comes to', () => {
  test('cancel, and cancel again without another event', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    const answers = [stage.submit(cancelIntent('ann', 1)), stage.submit(cancelIntent('ann', 1))];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['cancelled', 'cancelled']);
    expect(stage.journal).toEqual(['1 held', '2 cancelled']);
    expect(stage.decisions).toEqual(['hold ok', 'cancel ok', 'cancel unchanged']);
  });

  test('block and unblock tell the seats that changed', async () => {
    const stage = await ActorStage.awake();
    stage.submit({ kind: 'block', seatIds: ['A1', 'A2'] });
    const answer = stage.submit({ kind: 'unblock', seatIds: ['A2', 'A3'] });
    await stage.clock.settle();
    expect(answer.outcome).toEqual({ kind: 'blocks-changed', seatIds: ['A2'], seq: 2 });
  });

  test('a reservation is its user’s alone', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    const reads = [stage.read(1, 'ann'), stage.read(1, 'bob'), stage.read(2, 'ann')];
    await stage.clock.settle();
    expect(reads.map(({ said }) => said)).toEqual(['HELD 1', 'nothing', 'nothing']);
  });
});

describe('idempotency (I8)', () => {
  test('the same request is answered the same, whatever has become of the reservation', async () => {
    const stage = await ActorStage.awake();
    const first = stage.submit(holdIntent('ann', ['A1'], mark('k')));
    await stage.clock.advance(1_000);
    stage.submit(extendIntent('ann', 1));
    stage.submit(cancelIntent('ann', 1));
    const again = stage.submit(holdIntent('ann', ['A1'], mark('k')));
    await stage.clock.settle();
    expect(again.outcome).toEqual({ ...first.outcome, replayed: true });
    expect(stage.journal).toEqual(['1 held', '2 extended', '3 cancelled']);
  });

  test('an extension is answered the same after another one', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.advance(1_000);
    const first = stage.submit(extendIntent('ann', 1, mark('x')));
    await stage.clock.advance(1_000);
    stage.submit(extendIntent('ann', 1));
    const again = stage.submit(extendIntent('ann', 1, mark('x')));
    await stage.clock.settle();
    expect(again.outcome).toEqual({ ...first.outcome, replayed: true });
  });

  test('a first one that is still under way is waited for', async () => {
    const stage = await ActorStage.awake();
    stage.store.hold('commit');
    stage.submit(holdIntent('ann', ['A1'], mark('k')));
    const again = stage.submit(holdIntent('ann', ['A1'], mark('k')));
    await stage.clock.settle();
    expect(again.said).toBe('waiting');
    stage.store.release('commit');
    await stage.clock.settle();
    expect(again.said).toBe('HELD 1 replayed');
  });

  test('another body is refused, another user is another request', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1'], mark('k', 1)));
    const other = stage.submit(holdIntent('ann', ['A2'], mark('k', 2)));
    const bob = stage.submit(holdIntent('bob', ['A2'], mark('k', 2)));
    await stage.clock.settle();
    expect([other.said, bob.said]).toEqual(['idempotency-key-reused', 'HELD 2']);
  });

  test('a refusal is not remembered', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('bob', ['A1']));
    const refused = stage.submit(holdIntent('ann', ['A1'], mark('k')));
    stage.submit(cancelIntent('bob', 1));
    const again = stage.submit(holdIntent('ann', ['A1'], mark('k')));
    await stage.clock.settle();
    expect([refused.said, again.said]).toEqual(['seats-taken', 'HELD 2']);
  });

  test('for 24 hours, to the millisecond', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1'], mark('k')));
    await stage.clock.settle();
    stage.clock.jump(idempotencyWindowMs - 1);
    const last = stage.submit(holdIntent('ann', ['A1'], mark('k')));
    await stage.clock.settle();
    stage.clock.jump(1);
    const anew = stage.submit(holdIntent('ann', ['A1'], mark('k')));
    await stage.clock.settle();
    expect([last.said, anew.said]).toEqual(['HELD 1 replayed', 'HELD 2']);
  });
});

describe('time (I6)', () => {
  test('a hold ends on time though nobody calls', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.advance(4_999);
    expect(stage.journal).toEqual(['1 held']);
    await stage.clock.advance(1);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
    expect(stage.clock.delaysMs, 'nothing open, no timer').toEqual([]);
  });

  test('an extended hold ends at its new time', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.advance(3_000);
    stage.submit(extendIntent('ann', 1));
    await stage.clock.advance(4_999);
    expect(stage.journal).toEqual(['1 held', '2 extended']);
    await stage.clock.advance(1);
    expect(stage.journal.at(-1)).toBe('3 expired');
  });

  test('holds that are due end before anything else of the same moment', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.clock.jump(5_000);
    const answers = [stage.submit(extendIntent('ann', 1)), stage.submit(holdIntent('bob', ['A1']))];
    await stage.clock.settle();
    expect(answers.map(({ said }) => said)).toEqual(['hold-expired', 'HELD 2']);
    expect(stage.journal).toEqual(['1 held', '2 expired', '3 held']);
  });

  test('a read ends what is due as well', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.clock.jump(5_000);
    const read = stage.read(1, 'ann');
    await stage.clock.settle();
    expect(read.said).toBe('EXPIRED 1');
  });

  test('a clock that is set back moves no event back, and a hold still ends', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.clock.jump(-60_000);
    stage.submit(holdIntent('bob', ['A2']));
    await stage.clock.settle();
    const times = stage.store.journal.get(stage.actor.scheduleId)?.map((row) => row.atMs);
    expect(times).toEqual([1_000_000, 1_000_000]);
    await stage.clock.advance(65_000);
    expect(stage.journal.slice(2)).toEqual(['3 expired', '4 expired']);
  });

  test('a clock that is set ahead ends a hold within a second', async () => {
    const stage = await ActorStage.awake();
    stage.submit(holdIntent('ann', ['A1']));
    await stage.clock.settle();
    stage.clock.jump(3_600_000);
    await stage.clock.advance(1_000);
    expect(stage.journal).toEqual(['1 held', '2 expired']);
  });
});
