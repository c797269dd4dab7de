import { expect, test } from 'vitest';
import { IdempotencyKeys } from '../../../../src/ledger/sandbox/idempotency-keys.ts';
import { SandboxAccount } from '../../../../src/ledger/sandbox/sandbox-account.ts';

test('the sandbox forgets the oldest keys and intents beyond 100,000', () => {
  const keys = new IdempotencyKeys();
  const account = new SandboxAccount();
  const intent = { amount: 1, currency: 'eur', metadata: {} };
  const first = account.create(intent).intentId;
  const second = account.create(intent).intentId;
  for (let key = 1; key <= 100_001; key++) keys.begin(`${key}`, 'request');
  for (let made = 3; made <= 100_001; made++) account.create(intent);
  expect(keys.begin('1', 'request')).toEqual({ kind: 'new' });
  expect(keys.begin('3', 'request')).toEqual({ kind: 'in-use' });
  expect(account.find(first)).toBeUndefined();
  expect(account.find(second)).toMatchObject({ intentId: second });
});
