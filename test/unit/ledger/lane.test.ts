import { describe, expect, it } from 'vitest';
import { BatchRefused } from '../../../src/ledger/book.ts';
import { laneOf } from '../../../src/ledger/lane-of.ts';
import { LaneStage } from './lane-stage.ts';

const keys = (...names: string[]): string => names.join(' ');
/** Of many lanes. */
const names = Array.from({ length: 20 }, (_, i) => `user-${i}`);

describe('a lane', () => {
  it('sends what has come in one turn as one batch, in the order of arrival', async () => {
    const stage = new LaneStage();
    for (const key of ['a', 'b', 'c']) stage.charge(key);
    expect(stage.sent).toEqual([]);
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual([keys('a', 'b', 'c')]);
  });

  it('has one batch in flight, and fills the next meanwhile', async () => {
    const stage = new LaneStage();
    stage.charge('a');
    await stage.clock.settle();
    for (const key of ['b', 'c']) stage.charge(key);
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual(['a']);
    stage.sent[0]!.answer();
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual(['a', keys('b', 'c')]);
    expect(stage.outcomes).toEqual({ a: 'charged', b: 'waits', c: 'waits' });
  });

  it('sends the next batch before the answers of the last one are read', async () => {
    const stage = new LaneStage();
    stage.charge('a');
    await stage.clock.settle();
    stage.charge('b');
    let outcomesWhenSent: unknown;
    stage.script = () => {
      outcomesWhenSent = { ...stage.outcomes };
      return 'answer';
    };
    stage.sent[0]!.answer();
    await stage.clock.settle();
    expect(outcomesWhenSent).toEqual({ a: 'waits', b: 'waits' });
    expect(stage.outcomes).toEqual({ a: 'charged', b: 'charged' });
  });

  it('takes no more into a batch than its bound', async () => {
    const stage = new LaneStage({ perBatchMax: 2 });
    stage.script = () => 'answer';
    for (const key of ['a', 'b', 'c', 'd', 'e']) stage.charge(key);
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual([keys('a', 'b'), keys('c', 'd'), 'e']);
  });

  it('tells of each attempt, with its time', async () => {
    const stage = new LaneStage();
    stage.charge('a');
    await stage.clock.settle();
    await stage.clock.advance(7);
    stage.sent[0]!.answer();
    await stage.clock.settle();
    expect(stage.batches).toEqual(['1 committed 7 ms']);
    expect(stage.faults).toEqual([]);
  });
});

describe('a batch that fails', () => {
  it('is sent again as it was, after a pause, while others wait', async () => {
    const stage = new LaneStage();
    for (const key of ['a', 'b']) stage.charge(key);
    await stage.clock.settle();
    stage.sent[0]!.fail();
    await stage.clock.settle();
    stage.charge('c');
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual([keys('a', 'b')]);
    expect(stage.clock.delaysMs).toEqual([10]);
    await stage.clock.advance(10);
    expect(stage.sentKeys).toEqual([keys('a', 'b'), keys('a', 'b')]);
    stage.sent[1]!.answer();
    await stage.clock.settle();
    expect(stage.outcomes).toEqual({ a: 'charged', b: 'charged', c: 'waits' });
    expect(stage.sentKeys[2]).toBe('c');
    expect(stage.batches).toEqual(['2 failed 0 ms', '2 committed 0 ms']);
  });

  it('that is alone is given up after five attempts, and the lane goes on', async () => {
    const stage = new LaneStage();
    stage.script = ([key]) => (key === 'a' ? new Error('lost') : 'answer');
    stage.charge('a');
    await stage.clock.settle();
    stage.charge('b');
    await stage.clock.advance(1309);
    expect(stage.sentKeys).toEqual(['a', 'a', 'a', 'a']);
    await stage.clock.advance(1);
    expect(stage.sentKeys).toEqual(['a', 'a', 'a', 'a', 'a', 'b']);
    expect(stage.outcomes).toEqual({ a: 'LedgerUnavailable', b: 'charged' });
    expect(stage.faults.at(-1)).toBe('1 operations of the ledger were given up');
  });

  it('is split until the one that cannot be carried out stands alone', async () => {
    const stage = new LaneStage();
    stage.script = (sent) => (sent.includes('c') ? new Error('crash') : 'answer');
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) stage.charge(key);
    await stage.clock.settle();
    await stage.clock.advance(2000);
    const { c, ...others } = stage.outcomes;
    expect(c).toBe('LedgerUnavailable');
    expect(Object.values(others)).toEqual(Array.from({ length: 7 }, () => 'charged'));
    expect(stage.sentKeys.slice(5)).toEqual(['a b c d', 'e f g h', 'a b', 'c d', 'c', 'd']);
  });

  it('is given up whole when both of its halves fail: the fault lies underneath', async () => {
    const stage = new LaneStage();
    stage.script = () => new Error('disk full');
    for (const key of ['a', 'b', 'c', 'd']) stage.charge(key);
    await stage.clock.settle();
    await stage.clock.advance(2000);
    expect(stage.sentKeys.slice(5)).toEqual(['a b', 'c d']);
    expect(new Set(Object.values(stage.outcomes))).toEqual(new Set(['LedgerUnavailable']));
    expect(stage.clock.delaysMs).toEqual([]);
  });

  it('is split at once when it was refused: no attempt goes better', async () => {
    const stage = new LaneStage();
    stage.script = (sent) =>
      sent.includes('b') || sent.includes('c') ? new BatchRefused('another order') : 'answer';
    for (const key of ['a', 'b', 'c', 'd']) stage.charge(key);
    await stage.clock.settle();
    expect(stage.outcomes).toEqual({
      a: 'charged',
      b: 'LedgerRefused',
      c: 'LedgerRefused',
      d: 'charged',
    });
    expect(stage.sentKeys).toEqual(['a b c d', 'a b', 'c d', 'a', 'b', 'c', 'd']);
    expect(stage.clock.delaysMs).toEqual([]);
  });

  it('is refused by an attempt after the first, and no further one is made', async () => {
    const stage = new LaneStage();
    stage.charge('a');
    await stage.clock.settle();
    stage.sent[0]!.fail();
    await stage.clock.advance(10);
    stage.sent[1]!.fail(new BatchRefused('another order'));
    await stage.clock.settle();
    expect([stage.outcomes, stage.clock.delaysMs]).toEqual([{ a: 'LedgerRefused' }, []]);
    expect(stage.sentKeys).toEqual(['a', 'a']);
  });

  it('has one that is refused and one that cannot be carried out: each is told which', async () => {
    const stage = new LaneStage();
    stage.script = (sent) => {
      if (sent.includes('b')) return new BatchRefused('another order');
      return sent.includes('c') ? new Error('crash') : 'answer';
    };
    for (const key of ['a', 'b', 'c', 'd']) stage.charge(key);
    await stage.clock.settle();
    expect(stage.outcomes).toEqual({
      a: 'charged',
      b: 'LedgerRefused',
      c: 'LedgerUnavailable',
      d: 'charged',
    });
  });

  it('was refused, and then both of its halves fail: nobody knows whom it was that was refused', async () => {
    const stage = new LaneStage();
    stage.script = (sent) => (sent.length === 4 ? new BatchRefused('another order') : new Error('disk full'));
    for (const key of ['a', 'b', 'c', 'd']) stage.charge(key);
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual(['a b c d', 'a b', 'c d']);
    expect(new Set(Object.values(stage.outcomes))).toEqual(new Set(['LedgerUnavailable']));
  });

  it('that answers too few of its operations counts as failed', async () => {
    const stage = new LaneStage();
    stage.charge('a');
    await stage.clock.settle();
    stage.charge('b');
    Object.assign(stage.sent[0]!.keys, { length: 0 });
    stage.sent[0]!.answer();
    await stage.clock.settle();
    expect(stage.batches).toEqual(['1 failed 0 ms']);
    expect(stage.outcomes['a']).toBe('waits');
  });
});

describe('a batch whose attempts hang', () => {
  /** Each attempt fails after so long, the first one at 0. */
  const hanging = async (...attemptsMs: readonly number[]): Promise<LaneStage> => {
    const stage = new LaneStage();
    for (const key of ['a', 'b']) stage.charge(key);
    await stage.clock.settle();
    stage.sent[0]!.fail();
    for (const key of ['c', 'd']) stage.charge(key);
    for (const [i, attemptMs] of attemptsMs.entries()) {
      await stage.clock.advance(pausesMs[i]!);
      await stage.clock.advance(attemptMs);
      stage.sent[i + 1]!.fail();
    }
    await stage.clock.settle();
    return stage;
  };
  const pausesMs = [10, 50, 250, 1000];
  const allOf = (outcome: string) => ({ a: outcome, b: outcome, c: outcome, d: outcome });

  it('is given up after more than 5 s, and takes with it what waits behind it', async () => {
    const stage = await hanging(2_000, 2_941);
    expect(stage.outcomes).toEqual(allOf('LedgerUnavailable'));
    expect(stage.sentKeys).toEqual(['a b', 'a b', 'a b']);
    expect(stage.faults.at(-1)).toBe('4 operations of the ledger were given up');
    expect([stage.clock.delaysMs, stage.ledger.operationsWaiting]).toEqual([[], 0]);
  });

  it('is sent again while it has not been more', async () => {
    const stage = await hanging(2_000, 2_940);
    expect(stage.outcomes).toEqual(allOf('waits'));
    await stage.clock.advance(250);
    expect(stage.sentKeys).toEqual(['a b', 'a b', 'a b', 'a b']);
  });

  it('and comes through after all: what waits behind it is next', async () => {
    const stage = await hanging(2_000);
    await stage.clock.advance(60_000);
    stage.sent[2]!.answer();
    await stage.clock.settle();
    expect(stage.outcomes).toEqual({ a: 'charged', b: 'charged', c: 'waits', d: 'waits' });
    expect(stage.sentKeys.at(-1)).toBe('c d');
  });

  it('and is refused after all: only what was refused is told so', async () => {
    const stage = await hanging();
    await stage.clock.advance(10);
    await stage.clock.advance(5_001);
    stage.script = (sent) => (sent.includes('b') ? new BatchRefused('another order') : 'answer');
    stage.sent[1]!.fail(new BatchRefused('another order'));
    await stage.clock.settle();
    expect(stage.outcomes).toEqual({ a: 'charged', b: 'LedgerRefused', c: 'charged', d: 'charged' });
  });

  it('leaves a lane that goes on with the next call', async () => {
    const stage = await hanging(5_000);
    expect(stage.outcomes).toEqual(allOf('LedgerUnavailable'));
    stage.script = () => 'answer';
    stage.charge('e');
    await stage.clock.settle();
    expect([stage.outcomes['e'], stage.sentKeys.at(-1)]).toEqual(['charged', 'e']);
  });

  it('keeps no other lane from its work', async () => {
    const [ann, other] = [0, 1].map((lane) => names.find((name) => laneOf(name, 2) === lane)!);
    const stage = new LaneStage({ lanes: 2 });
    stage.charge('a', ann);
    await stage.clock.settle();
    stage.sent[0]!.fail();
    await stage.clock.advance(10);
    stage.charge('b', other);
    await stage.clock.advance(5_000);
    stage.sent[1]!.fail();
    await stage.clock.settle();
    expect(stage.outcomes).toEqual({ a: 'LedgerUnavailable', b: 'waits' });
    stage.sent[2]!.answer();
    await stage.clock.settle();
    expect(stage.outcomes['b']).toBe('charged');
  });
});

describe('lanes', () => {
  /** A user of each of the three lanes. */
  const payers = [0, 1, 2].map((lane) => names.find((name) => laneOf(name, 3) === lane)!);

  it('each have a batch in flight of their own', async () => {
    const stage = new LaneStage({ lanes: 3 });
    for (const [i, payer] of payers.entries()) stage.charge(`${i}`, payer);
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual(['0', '1', '2']);
    for (const [i, payer] of payers.entries()) stage.charge(`${i}-next`, payer);
    stage.sent[1]!.answer();
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual(['0', '1', '2', '1-next']);
  });

  it('share users evenly, and a user is always in the same one', () => {
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) counts[laneOf(`user-${i}`, 4)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(2300);
    expect(laneOf('user-1', 4)).toBe(laneOf('user-1', 4));
    // The reference value of FNV-1a: hash of "foobar" is 0xbf9cf968.
    expect(laneOf('foobar', 0x1_0000_0000)).toBe(0xbf9cf968);
  });
});

describe('the calls that wait', () => {
  it('are bounded: one more is rejected at once, and takes no effect', async () => {
    const stage = new LaneStage({ waitingMax: 3, perBatchMax: 2 });
    for (const key of ['a', 'b', 'c']) stage.charge(key);
    await stage.clock.settle();
    expect(stage.ledger.isOverloaded).toBe(true);
    stage.charge('d');
    await stage.clock.settle();
    expect(stage.outcomes['d']).toBe('LedgerOverloaded');
    stage.sent[0]!.answer();
    await stage.clock.settle();
    expect([stage.ledger.isOverloaded, stage.ledger.operationsWaiting]).toEqual([false, 1]);
    stage.sent[1]!.answer();
    await stage.clock.settle();
    expect(stage.sentKeys).toEqual(['a b', 'c']);
    expect(stage.ledger.operationsWaiting).toBe(0);
  });

  it('that are given up make room again', async () => {
    const stage = new LaneStage({ waitingMax: 1 });
    stage.script = () => new BatchRefused('no');
    stage.charge('a');
    await stage.clock.settle();
    expect(stage.outcomes).toEqual({ a: 'LedgerRefused' });
    expect(stage.ledger.isOverloaded).toBe(false);
  });

  it('are waited for by close, the attempts of a failed batch included', async () => {
    const stage = new LaneStage();
    stage.charge('a');
    await stage.clock.settle();
    stage.sent[0]!.fail();
    let isClosed = false;
    void stage.ledger.close().then(() => {
      isClosed = true;
    });
    stage.charge('late');
    await stage.clock.settle();
    expect([isClosed, stage.outcomes['late']]).toEqual([false, 'LedgerUnavailable']);
    await stage.clock.advance(10);
    stage.sent[1]!.answer();
    await stage.clock.settle();
    expect([isClosed, stage.outcomes['a']]).toEqual([true, 'charged']);
  });
});
