import { describe } from 'vitest';
import type { Store } from '../../src/actors/runtime/ports.ts';
import { catalogContract } from './catalog-contract.ts';
import { fencingContract } from './fencing-contract.ts';
import { outboxContract } from './outbox-contract.ts';
import { paymentRecoveryContract } from './payment-recovery-contract.ts';
import { queriesContract } from './queries-contract.ts';
import { recoveryContract } from './recovery-contract.ts';
import type { StoreHarness } from './store-harness.ts';
import { transferContract } from './transfer-contract.ts';

/** Every sentence of the Store and EventOutbox ports, for every store. `makeHarness` gives each test data of its own. */
export function storeContract(name: string, makeHarness: () => StoreHarness): void {
  storePortContract(name, makeHarness);
  describe(name, () => {
    describe('outbox', () => outboxContract(makeHarness));
  });
}

/** The same for what is a Store and nothing more. */
export function storePortContract(name: string, makeHarness: () => StoreHarness<Store>): void {
  describe(name, () => {
    describe('fencing', () => fencingContract(makeHarness));
    describe('transfer', () => transferContract(makeHarness));
    describe('recovery', () => recoveryContract(makeHarness));
    describe('payments in recovery', () => paymentRecoveryContract(makeHarness));
    describe('queries', () => queriesContract(makeHarness));
    describe('catalogue', () => catalogContract(makeHarness));
  });
}
