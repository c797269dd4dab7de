/**
 * Loaded into a node (--import): keeps its own ledger busy from inside, without HTTP. From SIGUSR2 on, and until
 * the next, so many charges are always under way, each replaced as it comes back; the ledger never rests.
 *
 * It gets hold of the ledger when the first charge comes in.
 */
import { performance } from 'node:perf_hooks';
import type { IdempotencyKey, UserId } from '../src/actors/allocator/ids.ts';
import { LaneLedger } from '../src/ledger/lane-ledger.ts';

const atOnce = 500;

let ledger: LaneLedger | undefined;
const { charge } = LaneLedger.prototype;
LaneLedger.prototype.charge = function (this: LaneLedger, ...parameters) {
  ledger = this;
  LaneLedger.prototype.charge = charge;
  return this.charge(...parameters);
};

let isFlooding = false;
let charges = 0;
let startedMs = 0;

async function flood(): Promise<void> {
  while (isFlooding) {
    charges += 1;
    const mark = { key: `flood-${charges}` as IdempotencyKey, fingerprint: 1 };
    const userId = `flood-${charges % 500}` as UserId;
    await ledger?.charge({ userId, amount: 1, mark, atMs: Date.now() });
  }
}

process.on('SIGUSR2', () => {
  isFlooding = !isFlooding;
  if (!isFlooding) {
    const perSecond = (charges / (performance.now() - startedMs)) * 1000;
    console.log(`flooded ${perSecond.toFixed(0)} charges/s`);
    charges = 0;
    return;
  }
  if (ledger === undefined) throw new Error('no charge has come in yet');
  startedMs = performance.now();
  for (let i = 0; i < atOnce; i++) void flood();
});
