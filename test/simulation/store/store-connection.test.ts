import type { Store } from '../../../src/actors/runtime/ports.ts';
import { storePortContract } from '../../contract/store-contract.ts';
import type { StoreHarness } from '../../contract/store-harness.ts';
import { Counters } from '../counters.ts';
import { Prng } from '../prng.ts';
import { Scheduler } from '../scheduler.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { Database } from './database.ts';
import { FaultPlan } from './fault-plan.ts';
import { StoreConnection } from './store-connection.ts';

/** The simulated store is a store like the others while nothing goes wrong. */
storePortContract('a connection of the simulation', connectionHarness);

function connectionHarness(): StoreHarness<Store> {
  const clock = new VirtualClock(0);
  const scheduler = new Scheduler(clock);
  const prng = new Prng(1);
  const auditor = { onRefusedRows: () => {}, onRow: () => {} };
  const world = { venues: [], performances: [], sales: [], shardCount: 1 };
  const database = new Database(world, clock, auditor);
  let isDisposed = false;
  const drive = () => {
    scheduler.take(prng)?.run();
    if (!isDisposed) setImmediate(drive);
  };
  drive();
  return {
    open: async () =>
      new StoreConnection({
        database,
        scheduler,
        faults: new FaultPlan(),
        counters: new Counters(),
        owner: 1,
      }),
    dispose: () => {
      isDisposed = true;
    },
  };
}
