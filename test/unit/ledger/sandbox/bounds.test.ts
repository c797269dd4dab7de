import { expect, test } from 'vitest';
import { IdempotencyKeys } from '../../../../src/ledger/sandbox/idempotency-keys.ts';
import { newIntent, SandboxAccount } from '../../../../src/ledger/sandbox/sandbox-account.ts';

test('the sandbox forgets the oldest keys and intents beyond 100,000', () => {
  const keys = new IdempotencyKeys();
  const account = new SandboxAccount();
  const put = () => {
    const intent = newIntent({ amount: 1, currency: 'eur', metadata: {} }, { isCharged: true });
    account.put(intent);
    return intent.intentId;
  };
  const first = put();
  const second = put();
  for (let key = 1; key <= 100_001; key++) keys.begin(`${key}`, 'request');
  for (let made = 3; made <= 100_001; made++) put();
  expect(keys.begin('1', 'request')).toEqual({ kind: 'new' });
  expect(keys.begin('3', 'request')).toEqual({ kind: 'in-use' });
  expect(account.find(first)).toBeUndefined();
  expect(account.find(second)).toMatchObject({ intentId: second });
});
