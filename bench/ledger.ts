/**
 * The ledger's own work a payment: many users' payments in a batch and a commit, against one piscina task and
 * one commit a payment, in turn. Process CPU is everybody's; worker CPU is that less the main thread's, since
 * the other threads of the process rest.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Piscina } from 'piscina';
import {
  formatPaymentId,
  type IdempotencyKey,
  type ReservationNumber,
  type ScheduleId,
  type UserId,
} from '../src/actors/allocator/ids.ts';
import type { Ledger, PaymentOrder } from '../src/actors/runtime/ledger.ts';
import { LaneLedger } from '../src/ledger/lane-ledger.ts';
import type { LedgerOperation, OperationResult } from '../src/ledger/operation.ts';
import { openSqliteLedger } from '../src/ledger/sqlite/sqlite-ledger.ts';
import { systemClock } from '../src/system-clock.ts';

/** A round's figures each. */
export interface LedgerFigures {
  readonly batched: readonly Cost[];
  readonly single: readonly Cost[];
  /** The same two without a database: queue, thread and rules. */
  readonly batchedRules: readonly Cost[];
  readonly singleRules: readonly Cost[];
}

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const users = 500;
const batchedPayments = 40_000;
const singlePayments = 1_000;

export interface Cost {
  readonly workerMicros: number;
  readonly processMicros: number;
  readonly perSecond: number;
}

let seq = 0;

/** A new payment of one of the users. */
function nextOrder(): PaymentOrder {
  seq += 1;
  const number = seq as ReservationNumber;
  const scheduleId = 1 as ScheduleId;
  return {
    paymentId: formatPaymentId(scheduleId, number, seq),
    scheduleId,
    number,
    userId: `user-${seq % users}` as UserId,
    method: 'points',
    amountMinor: 1,
    currency: 'EUR',
  };
}

async function pay(ledger: Ledger, payments: number, atOnce: number): Promise<void> {
  let left = payments;
  const payer = async () => {
    while (left-- > 0) {
      const { status } = await ledger.payByPoints(nextOrder(), Date.now());
      if (status !== 'APPROVED') throw new Error(`a payment is ${status}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, payer));
}

/** @param atOnce payments under way; 1 makes each a task and a commit of its own. */
async function costOf(ledger: Ledger, payments: number, atOnce: number): Promise<Cost> {
  await pay(ledger, Math.ceil(payments / 10), atOnce);
  const mainBefore = process.threadCpuUsage();
  const processBefore = process.cpuUsage();
  const startedMs = performance.now();
  await pay(ledger, payments, atOnce);
  const durationMs = performance.now() - startedMs;
  const main = process.threadCpuUsage(mainBefore);
  const all = process.cpuUsage(processBefore);
  const processMicros = (all.user + all.system) / payments;
  return {
    workerMicros: processMicros - (main.user + main.system) / payments,
    processMicros,
    perSecond: (payments / durationMs) * 1000,
  };
}

const observer = {
  onBatch: () => {},
  onFault: (fault: string, error: unknown) => console.error(fault, error),
};
const rulesPool = new Piscina<unknown, unknown>({
  filename: new URL('./rules-worker.ts', import.meta.url).href,
  minThreads: 1,
  maxThreads: 1,
});
const rules = new LaneLedger({
  execute: (operations: readonly LedgerOperation[]) =>
    rulesPool.run(operations, { name: 'apply' }) as Promise<readonly OperationResult[]>,
  lanes: 1,
  operationsWaitingMax: 20_000,
  clock: systemClock,
  observer,
});
const directory = mkdtempSync(join(tmpdir(), 'usher-bench-'));
const ledger = await openSqliteLedger({
  directory,
  clock: systemClock,
  observer,
});
try {
  for (let user = 0; user < users; user++) {
    const mark = { key: 'first' as IdempotencyKey, fingerprint: 1 };
    const userId = `user-${user}` as UserId;
    await ledger.charge({ userId, amount: 1_000_000, mark, atMs: Date.now() });
  }
  const figures = {
    batched: [] as Cost[],
    single: [] as Cost[],
    batchedRules: [] as Cost[],
    singleRules: [] as Cost[],
  } satisfies LedgerFigures;
  for (let round = 0; round < rounds; round++) {
    figures.batched.push(await costOf(ledger, batchedPayments, 1_000));
    figures.single.push(await costOf(ledger, singlePayments, 1));
    await rulesPool.run(users, { name: 'begin' });
    figures.batchedRules.push(await costOf(rules, batchedPayments, 1_000));
    figures.singleRules.push(await costOf(rules, 5 * singlePayments, 1));
  }
  console.log(JSON.stringify(figures));
} finally {
  await rulesPool.destroy();
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
}
