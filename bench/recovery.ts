/**
 * Recovery of 1,000,000 live seats: 20 schedules of 50,000 seats, 500,000 reservations of two seats with
 * their keys, on the embedded store. Written and projected first; then a node starts on the file, and the
 * clock runs until every schedule has answered a read.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { type ScheduleId, type ShardId, shardOf } from '../src/actors/allocator/ids.ts';
import { noGateway } from '../src/actors/runtime/card-gateway.ts';
import { Directory } from '../src/actors/runtime/directory.ts';
import type { JournalRow } from '../src/actors/runtime/ports.ts';
import { silentObserver } from '../src/actors/runtime/runtime-observer.ts';
import type { SqliteLedger } from '../src/ledger/sqlite/sqlite-ledger.ts';
import { openSqliteStore } from '../src/persistence/sqlite/sqlite-store.ts';
import { systemClock } from '../src/system-clock.ts';
import { benchHall, benchLayout } from './bench-hall.ts';

export interface RecoveryFigures {
  readonly liveSeats: number;
  readonly reservations: number;
  readonly seconds: readonly number[];
}

const schedules = 20;
const seatsPerSchedule = benchHall.rows * benchHall.seatsPerRow;
const shardCount = 256;
const rowsPerBatch = 1_000;

const open = (directory: string) => openSqliteStore({ directory, longCallLimitMs: 600_000 });

const directoryOn = (store: Awaited<ReturnType<typeof open>>) =>
  new Directory({
    store,
    // Nothing is being paid: no call of the ledger is made.
    ledger: undefined as unknown as SqliteLedger,
    gateway: noGateway,
    clock: systemClock,
    ids: { instanceId: () => 'bench' },
    observer: { ...silentObserver, onFault: (fault, error) => console.error(fault, error) },
    shardCount,
    limits: {
      holdTtlMs: 3_600_000,
      holdTotalMaxMs: 3_600_000,
      paymentMaxMs: 120_000,
      payWaitMaxMs: 2_000,
      seatsPerReservationMax: 10,
      seatsPerUserMax: Number.POSITIVE_INFINITY,
      mailboxMax: 20_000,
      batchRowsMax: 1_000,
      idleActorMs: 600_000,
    },
  });

async function fill(directory: string): Promise<void> {
  const store = await open(directory);
  const { venueId: _venueId, ...layout } = benchLayout();
  const venueId = await store.createVenue(layout);
  const performanceId = await store.createPerformance({
    name: 'Bench',
    venueId,
    currency: 'EUR',
    prices: [{ category: 'Standard', priceMinor: 4_500 }],
    orphanRule: false,
  });
  const epochs = await store.claimShards(
    'bench-fill',
    Array.from({ length: shardCount }, (_, shard) => shard as ShardId),
  );
  let batchNumber = 0;
  const nowMs = Date.now();
  for (let i = 0; i < schedules; i++) {
    const scheduleId = await store.createSchedule({ performanceId, startsAtMs: nowMs });
    const shardId = shardOf(scheduleId, shardCount);
    const shard = epochs.find((candidate) => candidate.shardId === shardId);
    if (shard === undefined) throw new Error('the shard was claimed');
    for (let first = 0; first < seatsPerSchedule / 2; first += rowsPerBatch) {
      const rows = Array.from({ length: rowsPerBatch }, (_, k): JournalRow => {
        const number = first + k + 1;
        const payload = {
          number,
          userId: `buyer-${number}@example.org`,
          seats: [2 * (number - 1), 2 * number - 1],
          totalMinor: 9_000,
          expiresAtMs: nowMs + 3_600_000,
          idempotency: {
            key: `00000000-0000-4000-8000-${number.toString().padStart(12, '0')}`,
            fingerprint: number * 7_919_313,
          },
        };
        return {
          scheduleId,
          shardId,
          seq: number,
          atMs: nowMs,
          type: 'held',
          payload: JSON.stringify(payload),
        };
      });
      batchNumber += 1;
      const outcome = await store.commit({ batchNumber, shards: [shard], rows });
      if (outcome !== 'committed') throw new Error(outcome);
    }
  }
  await store.projectAll();
  await store.close();
}

async function recover(directory: string): Promise<number> {
  const startedMs = performance.now();
  const store = await open(directory);
  const node = directoryOn(store);
  await node.start();
  await Promise.all(
    Array.from({ length: schedules }, (_, i) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      node.readAvailability((i + 1) as ScheduleId, (view) => {
        if ('failure' in view) reject(new Error(view.failure));
        else if (view.available !== 0) reject(new Error(`${view.available} seats are free after recovery`));
        else resolve();
      });
      return promise;
    }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  await node.stop();
  return seconds;
}

const directory = mkdtempSync(join(tmpdir(), 'usher-bench-'));
try {
  const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
  await fill(directory);
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) seconds.push(await recover(directory));
  const figures: RecoveryFigures = {
    liveSeats: schedules * seatsPerSchedule,
    reservations: (schedules * seatsPerSchedule) / 2,
    seconds,
  };
  console.log(JSON.stringify(figures));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
