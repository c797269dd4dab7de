import { expect, test } from 'vitest';
import { user } from '../allocator/schedule-script.ts';
import { holdIntent } from './actor-stage.ts';
import { DirectoryStage } from './directory-stage.ts';

test('a ledger that fails refuses payments before they begin, and the node is not ready', async () => {
  const stage = await DirectoryStage.started();
  stage.ledger.balances.set(user('ann'), 10_000);
  const hold = stage.submit(1, holdIntent('ann', ['A1']));
  await stage.clock.settle();
  expect(hold.said).toBe('HELD 1');
  expect(stage.directory.notReadyReasons()).toEqual([]);

  stage.ledger.isFailing = true;
  const refused = stage.pay(1, 1, 'ann');
  await stage.clock.settle();
  expect(refused.said).toBe('store-unavailable');
  expect(stage.directory.notReadyReasons()).toEqual(['the ledger does not take its transactions']);
  const read = stage.read(1, 1, 'ann');
  await stage.clock.settle();
  expect(read.said, 'the hold has lost nothing').toBe('HELD 1');

  stage.ledger.isFailing = false;
  const paid = stage.pay(1, 1, 'ann');
  await stage.clock.settle();
  expect(paid.said).toBe('PAID 1');
  expect(stage.directory.notReadyReasons()).toEqual([]);
});
