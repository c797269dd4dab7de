import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Kafka as KafkaServer, startKafka } from '../../scripts/servers/kafka.ts';
import { KafkaPublisher } from '../../src/persistence/kafka/kafka-publisher.ts';
import type { PublisherNotice } from '../../src/persistence/kafka/publisher-notice.ts';
import { openSqliteStore } from '../../src/persistence/sqlite/sqlite-store.ts';
import type { WorkerStore } from '../../src/persistence/worker/worker-store.ts';
import { systemClock } from '../../src/system-clock.ts';
import { foldJournal } from '../contract/journal-fold.ts';
import { RandomJournalWriter } from '../contract/random-journal.ts';
import { ScheduleJournal } from '../contract/schedule-journal.ts';
import { Committer } from '../contract/store-harness.ts';
import { Prng } from '../simulation/prng.ts';
import { firstDeliveries, type ReadMessage, TopicReader } from './topic-reader.ts';

const reservationTopic = 'reservation-topic';
const seatReservedTopic = 'seat-reserved-topic';
const topics = [reservationTopic, seatReservedTopic];
const dayMs = 24 * 60 * 60 * 1000;

/** Of a stadium: to block it all is an event of 1.7 MB. */
const seatIds = Array.from({ length: 100_000 }, (_, i) => `Block ${i % 40}-${i}`);

/** The publisher, a SQLite store and a real broker, which is killed and started again. */
describe('publishing to Kafka', () => {
  let kafka: KafkaServer;
  let directory: string;
  let store: WorkerStore;
  let committer: Committer;
  let newPublisher: () => KafkaPublisher;
  let publisher: KafkaPublisher;
  let notices: PublisherNotice[];
  let reader: TopicReader | undefined;

  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka.stop());
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'usher-publishing-'));
    store = await openSqliteStore({ directory });
    const seats = seatIds.map((seatId, i) => ({ seatId, number: `${i}`, category: 'all' }));
    const venueId = await store.createVenue({
      name: 'Stadium',
      sections: [{ name: 'A', rows: [{ name: '1', seats }] }],
    });
    committer = new Committer(store);
    await committer.claim(1, 2, 3);
    notices = [];
    newPublisher = () =>
      new KafkaPublisher({
        kafka: { brokers: [kafka.brokers], clientId: 'usher', partitions: 12 },
        store,
        scheduleOf: () => ({ venueId, currency: 'EUR' }),
        clock: systemClock,
        onNotice: (notice) => notices.push(notice),
      });
    publisher = newPublisher();
  });
  afterEach(async () => {
    await publisher.stop(10_000);
    await reader?.stop();
    reader = undefined;
    await store.close();
    rmSync(directory, { recursive: true });
  });

  /** Times that are past, and no longer than a broker keeps what it is given. */
  const journalOf = (scheduleId: number) => {
    const journal = new ScheduleJournal(scheduleId, (scheduleId % 3) + 1);
    journal.nowMs = Date.now() - 3 * dayMs;
    return journal;
  };
  const commit = async (...journals: ScheduleJournal[]) => {
    const rows = journals.flatMap((journal) => journal.newRows());
    if (rows.length > 0) await committer.commit(...rows);
    publisher.wake();
  };
  const published = (limitMs = 60_000) =>
    vi.waitUntil(async () => (await store.readUnpublished(0)).backlogEvents === 0, {
      timeout: limitMs,
      interval: 50,
    });
  const read = (topic: string, journals: readonly ScheduleJournal[]) => {
    const keys = new Set(journals.map(({ scheduleId }) => String(scheduleId)));
    return reader!.of(topic).filter(({ key }) => keys.has(key));
  };
  const readAll = async (journals: readonly ScheduleJournal[]) => {
    const events = journals.flatMap((journal) => journal.events);
    const holds = events.filter(({ type }) => type === 'held');
    await vi.waitUntil(
      () =>
        firstDeliveries(read(reservationTopic, journals)).length === events.length &&
        firstDeliveries(read(seatReservedTopic, journals)).length === holds.length,
      { timeout: 60_000, interval: 100 },
    );
  };

  it('waits for a broker that is not there, meanwhile takes all that is committed, and creates the topics', async () => {
    await kafka.kill9();
    publisher.start();
    const journal = journalOf(1);
    const commitMs: number[] = [];
    for (let seat = 0; seat < 30; seat++) {
      journal.hold({ seats: [seat] });
      const startedMs = performance.now();
      await commit(journal);
      commitMs.push(performance.now() - startedMs);
      await sleep(50);
    }
    expect(Math.max(...commitMs)).toBeLessThan(1_000);
    expect(publisher.stats()).toMatchObject({ isConnected: false, publishedEvents: 0 });
    expect(publisher.stats().failures).toBeGreaterThan(1);
    expect(notices).toMatchObject([
      {
        kind: 'fault',
        fault: 'Kafka cannot be reached or used',
        message: expect.stringMatching(/ECONNREFUSED/),
      },
    ]);

    await kafka.restart();
    await published();
    expect(publisher.stats()).toMatchObject({ isConnected: true, publishedEvents: 30, unpublishedEvents: 0 });
    expect(notices.at(-1)).toEqual({ kind: 'connected' });
    const admin = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { topics: found } = await admin.fetchTopicMetadata({ topics });
    await admin.disconnect();
    expect(found.map(({ name, partitions }) => [name, partitions.length]).sort()).toEqual(
      topics.map((topic) => [topic, 12]),
    );

    reader = await TopicReader.start([kafka.brokers], topics);
    await readAll([journal]);
    const [held] = read(reservationTopic, [journal]);
    expect(held).toMatchObject({
      key: '1',
      headers: {
        ce_specversion: '1.0',
        ce_id: '1-1',
        ce_type: 'usher.reservation.held',
        ce_source: 'usher',
        ce_time: new Date(journal.events[0]!.atMs).toISOString(),
        ce_subject: '1-1',
        'content-type': 'application/json',
      },
      data: {
        scheduleId: 1,
        seq: 1,
        reservationId: '1-1',
        userId: 'ann',
        seatIds: [seatIds[0]],
        currency: 'EUR',
      },
    });
    expect(read(seatReservedTopic, [journal])[0]!.headers['ce_type']).toBe('usher.seat.reserved');
  });

  it('is complete and in order for a consumer, though the broker is killed three times', async () => {
    const prng = new Prng(17);
    const journals = [11, 12, 13, 14].map(journalOf);
    const writers = journals.map((journal) => new RandomJournalWriter(journal, prng));
    publisher.start();
    for (const journal of journals) journal.block(50_000);
    await commit(...journals);
    await published();
    reader = await TopicReader.start([kafka.brokers], topics);

    let isSelling = true;
    const selling = (async () => {
      while (isSelling) {
        for (const writer of writers) writer.write(prng.below(8));
        await commit(...journals);
        await sleep(10);
      }
    })();
    for (let kill = 0; kill < 3; kill++) {
      await sleep(2_000);
      await kafka.kill9();
      await sleep(500);
      await kafka.restart();
    }
    await sleep(1_000);
    isSelling = false;
    await selling;
    await published();
    await readAll(journals);

    for (const journal of journals) {
      expect(journal.events.length).toBeGreaterThan(1_000);
      const delivered = firstDeliveries(read(reservationTopic, [journal]));
      expect(delivered.map(({ data }) => data['seq'])).toEqual(journal.events.map(({ seq }) => seq));
      const holds = journal.events.filter(({ type }) => type === 'held').map(({ seq }) => seq);
      const reserved = firstDeliveries(read(seatReservedTopic, [journal]));
      expect(reserved.map(({ data }) => data['seq'])).toEqual(holds);
      for (const messages of [delivered, reserved]) {
        expect(new Set(messages.map(({ partition }) => partition)).size).toBe(1);
      }
      expect(takenSeats(delivered)).toEqual(takenByJournal(journal));
    }
    expect(publisher.stats().failures).toBeGreaterThan(2);
    // Once a minute, whatever the numbers in it.
    expect(notices.length).toBeLessThan(15);
  });

  it('goes on in the next process where the last one ended', async () => {
    const journal = journalOf(21);
    publisher.start();
    for (let seat = 0; seat < 50; seat++) journal.hold({ seats: [seat] });
    await commit(journal);
    await published();
    await publisher.stop(5_000);
    for (let number = 1; number <= 50; number++) journal.cancel(number as never);
    await commit(journal);
    // What the reservations were is in no event that it reads: it has to ask for it.
    publisher = newPublisher();
    publisher.start();
    await published();
    reader = await TopicReader.start([kafka.brokers], topics);
    await readAll([journal]);
    const cancelled = read(reservationTopic, [journal]).slice(50);
    expect(cancelled.map(({ data }) => [data['reservationId'], data['seatIds']])).toEqual(
      Array.from({ length: 50 }, (_, i) => [`21-${i + 1}`, [seatIds[i]]]),
    );
  });

  it('tells of all seats of a stadium in one event', async () => {
    const journal = journalOf(31);
    journal.block(...seatIds.keys());
    journal.unblock(3);
    publisher.start();
    await commit(journal);
    await published();
    reader = await TopicReader.start([kafka.brokers], topics);
    await readAll([journal]);
    const [blocked] = read(reservationTopic, [journal]);
    expect(blocked!.data['seatIds']).toEqual(seatIds);
    expect(JSON.stringify(blocked!.data).length).toBeGreaterThan(1_048_588);
  });

  it('ends in time while the broker says nothing', async () => {
    const journal = journalOf(41);
    publisher.start();
    journal.hold();
    await commit(journal);
    await published();
    await kafka.suspend();
    try {
      journal.hold({ seats: [2] });
      await commit(journal);
      await sleep(500);
      const startedMs = performance.now();
      await publisher.stop(1_000);
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    } finally {
      kafka.resume();
    }
    expect((await store.readUnpublished(0)).backlogEvents).toBe(1);
  });
});

/** What a consumer of reservation-topic knows of a schedule. */
function takenSeats(messages: readonly ReadMessage[]): unknown[] {
  const taken = new Set<unknown>();
  for (const { headers, data } of messages) {
    const seats = data['seatIds'] as string[];
    switch (headers['ce_type']) {
      case 'usher.reservation.held':
      case 'usher.seats.blocked':
        for (const seat of seats) taken.add(seat);
        break;
      case 'usher.reservation.cancelled':
      case 'usher.reservation.expired':
      case 'usher.seats.unblocked':
        for (const seat of seats) taken.delete(seat);
    }
  }
  return [...taken].sort();
}

function takenByJournal(journal: ScheduleJournal): string[] {
  const { reservations, blocked } = foldJournal(journal.rows());
  const live = reservations.filter(({ endedAtMs }) => endedAtMs === 0).flatMap(({ seats }) => seats);
  return [...live, ...blocked].map((seat) => seatIds[seat]!).sort();
}
