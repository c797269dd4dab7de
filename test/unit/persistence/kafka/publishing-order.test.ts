import { describe, expect, it } from 'vitest';
import type { EventPart } from '../../../../src/persistence/kafka/event-sink.ts';
import { RandomJournalWriter } from '../../../contract/random-journal.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { Prng } from '../../../simulation/prng.ts';
import { firstDeliveries, PublishingStage, upTo } from './publishing-stage.ts';

/**
 * I7 under everything at once: brokers that lose a part before or after they have stored it, or store it much later,
 * when newer ones are there; a store that fails; a process that dies between any two steps.
 */
describe('what is published, whatever fails', () => {
  it.each([1, 2, 3, 4, 5, 6])(
    'is each schedule from its start, first deliveries in order (seed %i)',
    async (seed) => {
      const prng = new Prng(seed);
      const stage = new PublishingStage();
      await stage.claim();
      const journals = [new ScheduleJournal(7, 1), new ScheduleJournal(8, 2), new ScheduleJournal(9, 3)];
      const writers = journals.map((journal) => new RandomJournalWriter(journal, prng));
      const late: EventPart[] = [];
      const { brokers, source } = stage;
      let isCalm = false;
      brokers.onSend = (part) => {
        if (late.length > 0 && prng.chance(0.3)) brokers.store(late.splice(prng.below(late.length), 1)[0]!);
        const fate = isCalm
          ? 'stored'
          : prng.pick(['stored', 'stored', 'lost', 'unheard', 'late', 'halved'] as const);
        if (fate === 'late') late.push(part);
        if (fate === 'stored' || fate === 'unheard') brokers.store(part);
        // The other topic's leader is another broker.
        if (fate === 'halved') brokers.store({ ...part, seatsReserved: [] });
        if (fate !== 'stored') throw new Error(fate);
      };

      await stage.start();
      for (let round = 0; round < 60; round++) {
        for (const writer of writers) writer.write(prng.below(30));
        await stage.commit(...journals);
        stage.loop.wake();
        if (prng.chance(0.3)) await source.store.projectAll();
        for (const call of ['readUnpublished', 'markPublished', 'findReservations'] as const) {
          if (prng.chance(0.1)) source.failing.add(call);
          else source.failing.delete(call);
        }
        await stage.clock.advance(prng.pick([0, 20, 100, 1000]));
        if (prng.chance(0.15)) {
          await stage.stop();
          await stage.start();
        }
        // A consumer may look at any time.
        for (const [scheduleId, seqs] of firstDeliveries(brokers.reservations)) {
          expect(seqs, `schedule ${scheduleId}`).toEqual(upTo(seqs.length));
        }
      }
      isCalm = true;
      source.failing.clear();
      await stage.clock.advance(60_000);
      for (const part of late) brokers.store(part);
      await stage.stop();

      expect(await stage.backlog()).toBe(0);
      const holds = journals.map(({ scheduleId, events }) => [
        scheduleId,
        events.filter(({ type }) => type === 'held').map(({ seq }) => seq),
      ]);
      const all = journals.map(({ scheduleId, events }) => [scheduleId, upTo(events.length)]);
      const inOrder = (found: Map<number, number[]>) => [...found].sort(([a], [b]) => a - b);
      expect(inOrder(firstDeliveries(brokers.reservations))).toEqual(all);
      expect(inOrder(firstDeliveries(brokers.seatsReserved))).toEqual(holds);
      expect(stage.told.filter((line) => /^\d/.test(line))).toEqual([]);
      expect(stage.told.length).toBeGreaterThan(20);
    },
  );
});
