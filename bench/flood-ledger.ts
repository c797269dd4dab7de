/**
 * Keeps the ledger of a running node busy without its main thread: a process beside it that charges accounts of
 * the same file as fast as they come back, until it is told to end (SIGTERM). Prints charges a second.
 */
import { performance } from 'node:perf_hooks';
import type { IdempotencyKey, UserId } from '../src/actors/allocator/ids.ts';
import { openSqliteLedger } from '../src/ledger/sqlite/sqlite-ledger.ts';
import { systemClock } from '../src/system-clock.ts';

const atOnce = 64;

const ledger = await openSqliteLedger({
  directory: process.env['LEDGER_DIRECTORY'] ?? '',
  clock: systemClock,
  observer: { onBatch: () => {}, onFault: (fault, error) => console.error(fault, error) },
});
let charges = 0;
let isOver = false;
process.on('SIGTERM', () => {
  isOver = true;
});
const startedMs = performance.now();

async function charge(): Promise<void> {
  while (!isOver) {
    charges += 1;
    const mark = { key: `flood-${process.pid}-${charges}` as IdempotencyKey, fingerprint: 1 };
    const userId = `flood-${charges % 500}` as UserId;
    await ledger.charge({ userId, amount: 1, mark, atMs: Date.now() });
  }
}

console.log('flooding');
await Promise.all(Array.from({ length: atOnce }, charge));
console.log(JSON.stringify({ perSecond: (charges / (performance.now() - startedMs)) * 1000 }));
await ledger.close();
