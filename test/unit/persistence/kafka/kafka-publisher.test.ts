import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VenueId } from '../../../../src/actors/allocator/ids.ts';
import { toJournalColumns } from '../../../../src/persistence/journal-columns.ts';
import { KafkaPublisher } from '../../../../src/persistence/kafka/kafka-publisher.ts';
import type { PublisherNotice } from '../../../../src/persistence/kafka/publisher-notice.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { ManualClock } from '../../actors/runtime/manual-clock.ts';

/** Posts `asleep` at first, then does what `main` says with each wake-up. */
const workerThat = (onWake: string, onStop = 'process.exit()') =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort as port, workerData } from 'node:worker_threads';
      const post = (message) => port.postMessage(message);
      const note = (message) => post({ kind: 'notice', notice: { kind: 'warning', message: String(message) } });
      let wakes = 0;
      const answers = [];
      port.on('message', (message) => {
        if (message.kind === 'wake') { wakes += 1; ${onWake} }
        else if (message.kind === 'stop') { ${onStop} }
        else note(JSON.stringify(message));
      });
      post({ kind: 'asleep' });
    `)}`,
  );

describe('KafkaPublisher', () => {
  const clock = new ManualClock();
  let publisher: KafkaPublisher;
  let notices: PublisherNotice[];
  let marked: unknown[];
  const journal = new ScheduleJournal(7, 1);
  journal.hold();

  const start = (entry: URL) => {
    publisher = new KafkaPublisher({
      kafka: { brokers: ['127.0.0.1:1'], clientId: 'usher', partitions: 12 },
      store: {
        readUnpublishedColumns: async () => ({ rows: toJournalColumns(journal.rows()), backlogEvents: 5 }),
        markPublished: async (positions) => {
          marked.push(...positions);
        },
        findReservation: async () => undefined,
        projectAll: async () => {
          throw new Error('no projection');
        },
        loadVenueRow: async () => undefined,
      },
      scheduleOf: () => ({ venueId: 1 as VenueId, currency: 'EUR' }),
      clock,
      onNotice: (notice) => notices.push(notice),
      entry,
    });
    publisher.start();
  };
  beforeEach(() => {
    notices = [];
    marked = [];
  });
  afterEach(() => publisher.stop(5_000));

  /** When a worker that died is to be followed by another; the look at the backlog, every 5 s, is not among these. */
  const restartsInMs = () => clock.delaysMs.filter((delayMs) => delayMs < 4_000);
  const messages = () => notices.flatMap((notice) => (notice.kind === 'connected' ? [] : [notice.message]));
  const until = (check: () => boolean) => vi.waitUntil(check, { timeout: 8_000, interval: 5 });
  /** Wakes until the worker was asleep. */
  const wakeOnce = async () => {
    await sleep(100);
    publisher.wake();
  };

  it('wakes a worker that sleeps, once for many commits', async () => {
    start(workerThat('note(wakes)'));
    await wakeOnce();
    await until(() => messages().length === 1);
    for (let commit = 0; commit < 100; commit++) publisher.wake();
    await sleep(50);
    expect(messages()).toEqual(['1']);
  });

  it('wakes one that fell asleep while commits came', async () => {
    start(workerThat('note(wakes); if (wakes < 3) post({ kind: "asleep" });'));
    publisher.wake(); // it has not even started
    await until(() => messages().length === 1);
    publisher.wake();
    await until(() => messages().length === 2);
    publisher.wake();
    await until(() => messages().length === 3);
    await sleep(50);
    expect(messages()).toEqual(['1', '2', '3']);
  });

  it('hands calls on to the store, and its refusals back', async () => {
    start(
      workerThat(`
        post({ kind: 'call', callId: 1, procedure: 'readUnpublished', parameters: [9] });
        post({ kind: 'call', callId: 2, procedure: 'markPublished', parameters: [[{ scheduleId: 7, seq: 1 }], 1] });
        post({ kind: 'call', callId: 3, procedure: 'projectAll', parameters: [] });
        post({ kind: 'connection', isConnected: true });
        post({ kind: 'failed' });
      `),
    );
    await wakeOnce();
    await until(() => messages().length === 3);
    const answers = messages().map((message) => JSON.parse(message));
    expect(answers.sort((a, b) => a.callId - b.callId)).toMatchObject([
      {
        kind: 'result',
        callId: 1,
        value: { backlogEvents: 5, rows: { count: 1, scheduleId: [7], type: ['held'] } },
      },
      { kind: 'result', callId: 2 },
      { kind: 'failure', callId: 3, message: 'no projection' },
    ]);
    expect(marked).toEqual([{ scheduleId: 7, seq: 1 }]);
    await clock.advance(1500);
    expect(publisher.stats()).toEqual({
      publishedEvents: 1,
      failures: 1,
      isConnected: true,
      unpublishedEvents: 4,
      lastPublishedSecondsAgo: 1.5,
    });
  });

  it('starts another worker when one dies, ever later, and says why it died', async () => {
    start(workerThat('throw new Error("the end of " + workerData.kafka.clientId);'));
    for (const delayMs of [100, 200, 400]) {
      await wakeOnce();
      await until(() => restartsInMs().length === 1);
      expect(restartsInMs()).toEqual([delayMs]);
      expect(publisher.stats().isConnected).toBe(false);
      await clock.advance(delayMs);
    }
    expect(notices).toEqual(
      Array(3).fill({
        kind: 'fault',
        fault: 'the thread that publishes to Kafka died: another one is started',
        message: 'the end of usher',
      }),
    );
    expect(publisher.stats().failures).toBe(3);
  });

  it('looks at the backlog by itself, whatever the worker does', async () => {
    start(workerThat(''));
    expect(publisher.stats().unpublishedEvents).toBeUndefined();
    for (let round = 0; round < 2; round++) {
      await clock.advance(5_000);
      expect(publisher.stats().unpublishedEvents).toBe(5);
    }
  });

  it('knows nothing of the environment', async () => {
    start(workerThat('note(JSON.stringify(process.env))'));
    await wakeOnce();
    await until(() => messages().length === 1);
    expect(messages()).toEqual(['{}']);
  });

  it('stops when the worker has, and starts none after it', async () => {
    start(workerThat('', 'setTimeout(() => process.exit(), 100)'));
    await sleep(50);
    const startedMs = performance.now();
    await publisher.stop(5_000);
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    expect([notices, clock.delaysMs, publisher.stats().isConnected]).toEqual([[], [], false]);
  });

  it('ends a worker that does not stop in time', async () => {
    start(workerThat('', 'for (;;);'));
    await sleep(50);
    await publisher.stop(100);
    expect(notices).toEqual([]);
  });

  it('stops while no worker runs', async () => {
    start(workerThat('process.exit(1)'));
    await wakeOnce();
    await until(() => restartsInMs().length === 1);
    await publisher.stop(100);
    expect(clock.delaysMs).toEqual([]);
    publisher.wake();
  });
});
