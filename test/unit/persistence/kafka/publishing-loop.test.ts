import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MessagesTooLarge } from '../../../../src/persistence/kafka/event-sink.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { firstDeliveries, idsOf, PublishingStage, upTo } from './publishing-stage.ts';

describe('PublishingLoop', () => {
  let stage: PublishingStage;

  beforeEach(async () => {
    stage = new PublishingStage();
    await stage.claim();
  });
  afterEach(async () => {
    await stage.stop();
    expect(stage.brokers.sinksOpen).toBe(0);
  });

  const journalOf = (scheduleId: number, holds: number) => {
    const journal = new ScheduleJournal(scheduleId, 1);
    for (let seat = 0; seat < holds; seat++) journal.hold({ seats: [seat] });
    return journal;
  };

  describe('when all goes well', () => {
    it('publishes what was left behind at the start, and marks it', async () => {
      const journal = journalOf(7, 3);
      journal.cancel(1 as never);
      await stage.commit(journal);
      await stage.start();
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-1', '7-2', '7-3', '7-4']);
      expect(idsOf(stage.brokers.seatsReserved)).toEqual(['7-1', '7-2', '7-3']);
      expect(await stage.backlog()).toBe(0);
      expect(stage.told).toEqual(['connected']);
    });

    it('is woken by a commit, and gathers others for 20 ms', async () => {
      await stage.start();
      expect(stage.asleep).toBe(1);
      const journals = [journalOf(7, 1), journalOf(8, 1)];
      await stage.commit(journals[0]!);
      stage.loop.wake();
      await stage.clock.advance(19);
      expect(stage.brokers.parts).toEqual([]);
      await stage.commit(journals[1]!);
      stage.loop.wake();
      await stage.clock.advance(1);
      expect(stage.brokers.parts.map(({ events }) => events)).toEqual([2]);
      expect(stage.asleep).toBe(2);
    });

    it('finds by itself, in a few seconds, what it was not woken for', async () => {
      await stage.start();
      await stage.commit(journalOf(7, 1));
      await stage.clock.advance(5_100);
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-1']);
    });

    it('does not sleep over a wake-up that came while it was at work', async () => {
      await stage.start();
      stage.brokers.onSend = async (part) => {
        stage.brokers.store(part);
        stage.brokers.onSend = (next) => stage.brokers.store(next);
        await stage.commit(journalOf(8, 1));
        stage.loop.wake();
      };
      await stage.publish(journalOf(7, 1));
      await stage.clock.advance(20);
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-1', '8-1']);
    });

    it('goes on without rest while more is waiting, in bounded pieces', async () => {
      await stage.commit(journalOf(7, 3000), journalOf(8, 1500));
      await stage.start();
      expect(firstDeliveries(stage.brokers.reservations)).toEqual(
        new Map([
          [7, upTo(3000)],
          [8, upTo(1500)],
        ]),
      );
      expect(stage.brokers.reservations.length).toBe(4500);
      expect(Math.max(...stage.brokers.parts.map(({ events }) => events))).toBeLessThanOrEqual(500);
      expect(stage.source.count('markPublished')).toBe(3);
      expect(stage.source.count('readUnpublished')).toBe(3);
    });

    it('asks for a schedule and its venue once', async () => {
      await stage.start();
      const journals = [journalOf(7, 2), journalOf(8, 2)];
      await stage.publish(...journals);
      for (const journal of journals) journal.cancel(2 as never);
      await stage.publish(...journals);
      expect(stage.source.count('describeSchedule')).toBe(2);
      expect(stage.source.count('venueLayout')).toBe(1);
      expect(stage.source.count('findReservations')).toBe(0);
    });

    it('does nothing but look, now and then, when there is nothing to do', async () => {
      await stage.start();
      await stage.clock.advance(60_000);
      expect(stage.source.calls.length).toBeLessThanOrEqual(13);
      expect(new Set(stage.source.calls)).toEqual(new Set(['readUnpublished']));
    });
  });

  describe('when Kafka fails', () => {
    it('sends a lost chunk again with another producer, in order, and marks nothing before', async () => {
      await stage.start();
      let isLost = true;
      stage.brokers.onSend = (part) => {
        stage.brokers.store({ ...part, seatsReserved: [] });
        if (isLost) throw new Error('connection closed');
        stage.brokers.store(part);
      };
      await stage.publish(journalOf(7, 3));
      expect(await stage.backlog()).toBe(3);
      expect(stage.told).toEqual(['connected', 'disconnected', 'send: connection closed']);
      isLost = false;
      await stage.clock.advance(100);
      expect([...firstDeliveries(stage.brokers.reservations)]).toEqual([[7, [1, 2, 3]]]);
      expect([...firstDeliveries(stage.brokers.seatsReserved)]).toEqual([[7, [1, 2, 3]]]);
      expect([stage.brokers.sinksOpened, await stage.backlog()]).toEqual([2, 0]);
    });

    it('marks what was taken of a chunk whose last part was lost, and begins there', async () => {
      await stage.commit(journalOf(7, 1200));
      let sends = 0;
      stage.brokers.onSend = (part) => {
        sends += 1;
        if (sends === 3) throw new Error('connection closed');
        stage.brokers.store(part);
      };
      await stage.start();
      expect(await stage.backlog()).toBe(200);
      await stage.clock.advance(100);
      expect([...firstDeliveries(stage.brokers.reservations)]).toEqual([[7, upTo(1200)]]);
      expect(stage.brokers.reservations.length).toBe(1200);
    });

    it('tells of what was lost, and repeats all of it, when what was taken cannot be marked either', async () => {
      await stage.commit(journalOf(7, 1200));
      stage.source.failing.add('markPublished');
      let sends = 0;
      stage.brokers.onSend = (part) => {
        sends += 1;
        if (sends === 3) throw new Error('connection closed');
        stage.brokers.store(part);
      };
      await stage.start();
      expect(stage.told.at(-1)).toBe('send: connection closed');
      stage.source.failing.clear();
      await stage.clock.advance(100);
      expect([...firstDeliveries(stage.brokers.reservations)]).toEqual([[7, upTo(1200)]]);
      expect(stage.brokers.reservations.length).toBe(1000 + 1200);
    });

    it('tries ever more rarely, every 5 s in the end, and at once again after a success', async () => {
      stage.brokers.isDown = true;
      const triedAtMs: number[] = [];
      const { openSink } = stage.brokers;
      const tried = Object.assign(stage.brokers, {
        openSink: () => {
          triedAtMs.push(stage.clock.monotonicMs());
          return openSink();
        },
      });
      await stage.commit(journalOf(7, 1));
      await stage.start();
      await stage.clock.advance(30_000);
      const pauses = triedAtMs.slice(1).map((atMs, i) => atMs - triedAtMs[i]!);
      expect(pauses.slice(0, 8)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
      tried.isDown = false;
      await stage.clock.advance(5_000);
      expect(await stage.backlog()).toBe(0);
      stage.brokers.onSend = () => {
        stage.brokers.onSend = (part) => stage.brokers.store(part);
        throw new Error('connection closed');
      };
      await stage.publish(journalOf(8, 1));
      expect(await stage.backlog()).toBe(1);
      await stage.clock.advance(100);
      expect(await stage.backlog()).toBe(0);
    });

    it('reads nothing meanwhile, and so keeps nothing', async () => {
      stage.brokers.isDown = true;
      await stage.start();
      for (let round = 1; round <= 5; round++) {
        await stage.commit(journalOf(round, 50));
        stage.loop.wake();
        await stage.clock.advance(10_000);
      }
      expect(stage.source.calls).toEqual([]);
    });

    it('connects again when nobody is at the other end, though nothing is to be sent', async () => {
      await stage.start();
      stage.brokers.isLost = true;
      await stage.clock.advance(5_100);
      expect(stage.told).toEqual(['connected', 'disconnected', 'connected']);
      expect(stage.brokers.sinksOpened).toBe(2);
    });

    it('sends less at once when the brokers find it too large', async () => {
      await stage.commit(journalOf(7, 1000));
      stage.brokers.onSend = (part) => {
        if (part.events > 60) throw new MessagesTooLarge('too large');
        stage.brokers.store(part);
      };
      await stage.start();
      await stage.clock.advance(1_000);
      expect(await stage.backlog()).toBe(0);
      expect(stage.brokers.sinksOpened).toBeLessThanOrEqual(3);
      expect([...firstDeliveries(stage.brokers.reservations)]).toEqual([[7, upTo(1000)]]);
    });
  });

  describe('when the store fails', () => {
    it('reads again, with the same producer', async () => {
      stage.source.failing.add('readUnpublished');
      await stage.commit(journalOf(7, 1));
      await stage.start();
      expect(stage.told).toEqual(['connected', 'read: no readUnpublished now']);
      stage.source.failing.clear();
      await stage.clock.advance(100);
      expect([await stage.backlog(), stage.brokers.sinksOpened]).toEqual([0, 1]);
    });

    it('publishes again what could not be marked', async () => {
      await stage.start();
      stage.source.failing.add('markPublished');
      await stage.publish(journalOf(7, 2));
      expect(stage.told.at(-1)).toBe('mark: no markPublished now');
      stage.source.failing.clear();
      await stage.clock.advance(100);
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-1', '7-2', '7-1', '7-2']);
      expect(await stage.backlog()).toBe(0);
    });

    it.each(['findReservations', 'describeSchedule', 'venueLayout'] as const)(
      'sends nothing it cannot ask about, and asks again (%s)',
      async (call) => {
        const journal = journalOf(7, 1);
        await stage.commit(journal);
        await stage.source.store.markPublished([{ scheduleId: journal.scheduleId, seq: 1 }]);
        await stage.source.store.projectAll();
        journal.cancel(1 as never);
        await stage.commit(journal);
        stage.source.failing.add(call);
        await stage.start();
        await stage.clock.advance(1000);
        expect(stage.brokers.reservations).toEqual([]);
        stage.source.failing.clear();
        await stage.clock.advance(2000);
        expect(idsOf(stage.brokers.reservations)).toEqual(['7-2']);
        expect(stage.told.filter((line) => line.startsWith('7-'))).toEqual([]);
      },
    );
  });

  describe('what it does not know of a reservation', () => {
    /** Its `held` event was published by an earlier run. */
    const begin = async (isProjected: boolean) => {
      const journal = journalOf(7, 1);
      await stage.commit(journal);
      await stage.source.store.markPublished([{ scheduleId: journal.scheduleId, seq: 1 }]);
      if (isProjected) await stage.source.store.projectAll();
      journal.pay(1 as never);
      await stage.commit(journal);
    };

    it('it finds in the projection', async () => {
      await begin(true);
      await stage.start();
      expect(JSON.parse(stage.brokers.reservations[0]!.value.toString())).toMatchObject({
        reservationId: '7-1',
        userId: 'ann',
        seatIds: ['A-0'],
        totalMinor: 5000,
      });
      expect(stage.source.count('projectAll')).toBe(0);
    });

    it('it waits for when the projection is not there yet, once', async () => {
      await begin(false);
      await stage.start();
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-2']);
      expect([stage.source.count('projectAll'), stage.source.count('findReservations')]).toEqual([1, 2]);
    });

    it('it waits for again, a while later, when the projection cannot be brought up to date', async () => {
      await begin(false);
      stage.source.failing.add('projectAll');
      await stage.start();
      expect(stage.told.at(-1)).toBe(
        '7-2: reservation 7-1 is in no projection, which could not be brought up to date: no projectAll now',
      );
      stage.source.failing.clear();
      await stage.clock.advance(21_000);
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-2']);
    });

    it('it finds although another schedule stopped the projection', async () => {
      const broken = journalOf(6, 1);
      broken.hold({ seats: [0] });
      await stage.commit(broken);
      await begin(false);
      await stage.start();
      expect(idsOf(stage.brokers.reservations)).toContain('7-2');
    });
  });

  describe('an event that cannot be told', () => {
    /** Event 3 names a reservation that never was. */
    const journalWithHole = (scheduleId = 7) => {
      const journal = journalOf(scheduleId, 2);
      journal.cancel(44 as never);
      journal.hold({ seats: [9] });
      return journal;
    };
    const fault =
      '7-3: reservation 7-44 is in no projection, which could not be brought up to date: schedule 7: reservation 44 does not exist';

    it('stops its schedule before it, leaves no hole, and lets the others go on', async () => {
      await stage.start();
      await stage.publish(journalWithHole(), journalOf(8, 3));
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-1', '7-2', '8-1', '8-2', '8-3']);
      expect([await stage.backlog(), stage.told]).toEqual([2, ['connected', fault]]);
      await stage.publish(journalOf(9, 1));
      expect(idsOf(stage.brokers.reservations).at(-1)).toBe('9-1');
      expect(stage.told).toEqual(['connected', fault]);
    });

    it('is tried again after a while, and its schedule goes on where it was', async () => {
      stage.source.unknown.add(7 as never);
      await stage.start();
      await stage.publish(journalOf(7, 2), journalOf(8, 1));
      expect(idsOf(stage.brokers.reservations)).toEqual(['8-1']);
      expect(stage.told.at(-1)).toBe('7-1: its schedule or venue is not in the catalogue');
      stage.source.unknown.clear();
      await stage.clock.advance(21_000);
      expect(idsOf(stage.brokers.reservations)).toEqual(['8-1', '7-1', '7-2']);
      expect(await stage.backlog()).toBe(0);
    });

    it.each([
      ['a payload that is no JSON', '{"number":'],
      ['a payload that lacks what it must have', '{}'],
      ['a seat that the hall does not have', JSON.stringify({ seats: [4001] })],
    ])('%s', async (_name, payload) => {
      const journal = journalOf(7, 1);
      journal.block(5);
      await stage.start();
      const [first, second] = journal.newRows();
      const shards = await stage.source.store.claimShards('other', [journal.shardId]);
      await stage.source.store.commit({ batchNumber: 1, shards, rows: [first!, { ...second!, payload }] });
      stage.loop.wake();
      await stage.clock.advance(20);
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-1']);
      expect([await stage.backlog(), stage.told.length, stage.told[1]]).toEqual([
        1,
        2,
        expect.stringMatching(/^7-2: /),
      ]);
    });

    it('one that the brokers find too large stops its schedule alone', async () => {
      await stage.start();
      stage.brokers.onSend = (part) => {
        if (idsOf(part.reservations).includes('7-2')) throw new MessagesTooLarge('too large');
        stage.brokers.store(part);
      };
      await stage.publish(journalOf(7, 3), journalOf(8, 2));
      await stage.clock.advance(14_000);
      expect(firstDeliveries(stage.brokers.reservations)).toEqual(
        new Map([
          [7, [1]],
          [8, [1, 2]],
        ]),
      );
      expect(stage.told.filter((line) => line === '7-2: too large').length).toBe(1);
      expect(await stage.backlog()).toBe(2);
      await stage.publish(journalOf(9, 400));
      expect(stage.brokers.parts.at(-1)!.events).toBe(400);
    });

    it.each([1, 2])(
      'does not hide other schedules behind the %i that stopped, however much they have',
      async (count) => {
        const journals = Array.from({ length: count }, (_, i) => {
          stage.source.unknown.add((100 + i) as never);
          return journalOf(100 + i, 3000);
        });
        await stage.start();
        await stage.publish(...journals);
        const others = [journalOf(7, 2500), journalOf(8, 2500)];
        await stage.publish(...others);
        for (let wakes = 0; wakes < 10; wakes++) {
          stage.loop.wake();
          await stage.clock.advance(20);
        }
        expect(firstDeliveries(stage.brokers.reservations)).toEqual(
          new Map([
            [7, upTo(2500)],
            [8, upTo(2500)],
          ]),
        );
        expect(await stage.backlog()).toBe(3000 * count);
      },
    );

    it('that is all there is: it rests', async () => {
      stage.source.unknown.add(100 as never);
      await stage.commit(journalOf(100, 3000));
      await stage.start();
      const calls = stage.source.calls.length;
      await stage.clock.advance(14_000);
      expect(stage.source.calls.length - calls).toBeLessThan(10);
    });
  });

  describe('when it is told to stop', () => {
    it('finishes and marks the part that is being sent, and begins no other', async () => {
      await stage.commit(journalOf(7, 1500));
      const answers: (() => void)[] = [];
      stage.brokers.onSend = async (part) => {
        await new Promise<void>((resolve) => answers.push(resolve));
        stage.brokers.store(part);
      };
      await stage.start();
      answers.shift()!();
      await stage.clock.settle();
      const stopping = stage.stop();
      answers.shift()!();
      await stopping;
      expect(stage.brokers.reservations.length).toBe(1000);
      expect(await stage.backlog()).toBe(500);
      expect(answers.length).toBe(0);
    });

    it.each(['asleep', 'gathering', 'waiting for Kafka'])('ends at once when it is %s', async (state) => {
      stage.brokers.isDown = state === 'waiting for Kafka';
      await stage.start();
      if (state === 'gathering') {
        stage.loop.wake();
        await stage.clock.advance(5);
      }
      await stage.stop();
      expect(stage.clock.delaysMs).toEqual([]);
    });

    it('another one goes on where it has ended', async () => {
      const journal = journalOf(7, 3);
      await stage.commit(journal);
      await stage.start();
      await stage.stop();
      journal.cancel(2 as never);
      journal.hold({ seats: [10] });
      await stage.commit(journal);
      await stage.start();
      expect(idsOf(stage.brokers.reservations)).toEqual(['7-1', '7-2', '7-3', '7-4', '7-5']);
    });
  });
});
