import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Kafka, startKafka } from '../../scripts/servers/kafka.ts';
import { Prng } from '../simulation/prng.ts';
import { expectEvents } from './event-checks.ts';
import { FreeSeats, reservationTopic, seatReservedTopic } from './event-contract.ts';
import { metricOf } from './metric.ts';
import { NodeStore, type StoreKind } from './node-store.ts';
import { type Booking, Sale } from './sale.ts';
import { type ReadMessage, TopicReader } from './topic-reader.ts';
import type { UsherProcess } from './usher-process.ts';

/**
 * I7 from outside: who reads the topics from their start has every event of each schedule, in order, though nodes
 * and the broker end at any time; and knows by it which seats are free, as the node does, at every seq.
 */
const seed = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);
const holdSeconds = 2;

let kafka: Kafka;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka?.stop());

interface Course {
  readonly kind: StoreKind;
  readonly restarts: number;
  readonly brokerKills: number;
  /** One broker has the events of both: a schedule's id is of one of them. */
  readonly otherSchedules: number;
}

const courses: readonly Course[] = [
  { kind: 'MySQL', restarts: 10, brokerKills: 3, otherSchedules: 0 },
  { kind: 'SQLite', restarts: 3, brokerKills: 1, otherSchedules: 3 },
];

test.each(courses)(
  `on $kind: $restarts restarts of the node and $brokerKills of the broker (KILL_SEED=${seed})`,
  async ({ kind, restarts, brokerKills, otherSchedules }) => {
    const prng = new Prng(seed);
    const store = await NodeStore.open(kind);
    const start = () => store.start({ KAFKA_BROKERS: kafka.brokers, HOLD_TTL_SECONDS: `${holdSeconds}` });
    let usher = await start();
    let reader: TopicReader | undefined;
    try {
      const sale = await Sale.open({
        node: () => usher,
        prng,
        seatCount: 4_500,
        scheduleCount: 3,
        otherSchedules,
        clientCount: 20,
        thinkMsMax: 200,
        newWhim: () => (booking) => doAsYouLike(booking, prng),
      });
      await blockSomeSeats(usher, sale);
      await expect.poll(() => metricOf(usher, 'usher_publisher_connected'), { timeout: 30_000 }).toBe(1);
      reader = await TopicReader.start([kafka.brokers], [reservationTopic, seatReservedTopic]);
      const bitmaps: Bitmap[] = [];
      await sale.begin();

      const killBroker = async () => {
        await kafka.kill9();
        await delay(prng.below(1_000));
        await kafka.restart();
      };
      let broker = Promise.resolve();
      for (let restart = 0; restart < restarts; restart++) {
        await sale.hasSold(10);
        bitmaps.push(...(await readBitmaps(usher, sale)));
        if (restart % Math.ceil(restarts / brokerKills) === 0) broker = broker.then(killBroker);
        await delay(prng.below(500));
        // A polite end publishes what it can; after the other, the next node does.
        await usher.stop(restart % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
        usher = await start();
      }
      await broker;
      await sale.hasSold(10);
      await sale.end();
      const openWork = async () => [
        await metricOf(usher, 'usher_holds'),
        await metricOf(usher, 'usher_open_payments'),
      ];
      await expect.poll(openWork, { timeout: 15_000 }).toEqual([0, 0]);
      const last = await readBitmaps(usher, sale);

      for (const { scheduleId, seq } of last) {
        const events = await expectEvents(reader, sale, scheduleId, seq);
        expect(new Set(events.map(({ headers }) => headers['ce_type'])).size).toBeGreaterThan(7);
        expectSameSeats(events, sale, [...bitmaps, ...last].filter(isOf(scheduleId)));
      }
      await expect.poll(() => metricOf(usher, 'usher_unpublished_events'), { timeout: 10_000 }).toBe(0);
    } finally {
      await reader?.stop();
      await usher.stop('SIGKILL');
      await store.remove();
    }
  },
);

/** Leaves it to its end, gives it back, or pays for it: with points that first have to be got, at times. */
async function doAsYouLike({ buyer, key, reservationId }: Booking, prng: Prng): Promise<void> {
  const whim = prng.below(10);
  if (whim < 2) return;
  if (whim < 4) {
    expect([204, 410]).toContain((await buyer.cancel(reservationId)).status);
    return;
  }
  if (whim < 5) {
    const extended = await buyer.post(`/reservations/${reservationId}/extend`, {}, `${key}-extend`);
    expect([200, 410], extended.text).toContain(extended.status);
    return;
  }
  const pay = (time: string) =>
    buyer.post('/reservations/pay', { reservationId, method: 'points' }, `${key}-${time}`);
  let paid = await pay('first');
  if (paid.status === 402) {
    await buyer.post('/points/charge', { amount: 30_000 }, `${key}-charge`);
    paid = await pay('second');
  }
  expect([200, 202, 410], paid.text).toContain(paid.status);
}

async function blockSomeSeats(usher: UsherProcess, { scheduleIds, seatIds }: Sale): Promise<void> {
  for (const scheduleId of scheduleIds) {
    const change = (what: string, ...seats: readonly string[]) =>
      usher.admin('POST', `/admin/schedules/${scheduleId}/${what}`, { seatIds: seats });
    expect((await change('block', ...seatIds.slice(0, 20))).status).toBe(200);
    expect((await change('unblock', ...seatIds.slice(5, 10))).status).toBe(200);
  }
}

/** What a node says is free. */
interface Bitmap {
  readonly scheduleId: number;
  readonly seq: number;
  readonly hex: string;
}

const isOf = (scheduleId: number) => (bitmap: Bitmap) => bitmap.scheduleId === scheduleId;

function readBitmaps(usher: UsherProcess, { scheduleIds }: Sale): Promise<readonly Bitmap[]> {
  return Promise.all(
    scheduleIds.map(async (scheduleId) => {
      const path = `/reservations/available/seat?scheduleId=${scheduleId}`;
      const answer = await fetch(usher.publicUrl + path, { headers: { accept: 'application/octet-stream' } });
      const hex = Buffer.from(await answer.arrayBuffer()).toString('hex');
      return { scheduleId, seq: Number(answer.headers.get('usher-seq')), hex };
    }),
  );
}

function expectSameSeats(
  events: readonly ReadMessage[],
  { seatIds }: Sale,
  bitmaps: readonly Bitmap[],
): void {
  const free = new FreeSeats(seatIds);
  const bySeq = new Map<number, string>();
  for (const event of events) {
    free.apply(event);
    if (bitmaps.some(({ seq }) => seq === free.seq)) bySeq.set(free.seq, free.hex);
  }
  expect(bySeq.size).toBeGreaterThan(1);
  for (const { seq, hex } of bitmaps) expect(bySeq.get(seq), `the free seats at seq ${seq}`).toBe(hex);
}
