import { describe, expect, test } from 'vitest';
import { ConfigError, describeSettings, readConfig } from '../../src/config.ts';

/** The lines that say what to change; none when the node would start. */
function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n');
  }
}

const key = { STRIPE_API_KEY: 'sk_test_1' };

describe('where cards are charged', () => {
  test.each([
    'https://api.stripe.com',
    'https://api.stripe.com/',
    'https://gateway.example:8443',
    'http://127.0.0.1:12111',
    'http://127.8.9.1',
    'http://localhost:12111',
    'http://[::1]:12111',
  ])('may be %s', (url) => {
    expect(faultsOf({ ...key, STRIPE_API_URL: url })).toEqual([]);
    expect(readConfig({ ...key, STRIPE_API_URL: url }).stripeApiUrl).toBe(url);
  });

  test.each([
    ['in the clear to another machine', 'http://api.stripe.com'],
    ['in the clear to a name that looks like this one', 'http://localhost.example'],
    ['in the clear to a name that begins as loopback does', 'http://127.0.0.1.example'],
    ['in the clear to every address', 'http://0.0.0.0:12111'],
    ['by another protocol', 'ftp://127.0.0.1'],
    ['with a user', 'https://user@api.stripe.com'],
    ['with a password alone', 'https://:secret@api.stripe.com'],
    ['with a path', 'https://api.stripe.com/v1'],
    ['with a query', 'https://api.stripe.com/?v=1'],
    ['with a fragment', 'https://api.stripe.com/#v1'],
    ['without a protocol', 'api.stripe.com'],
  ])('may not be %s', (_name, url) => {
    const [fault, ...others] = faultsOf({ ...key, STRIPE_API_URL: url });
    expect(fault).toMatch(/^STRIPE_API_URL: got .*, takes https:\/\/host, or http:\/\/ on loopback, without/);
    expect(fault).not.toContain('secret@');
    expect(others).toEqual([]);
  });

  test('is shown without the credentials that it may not have', () => {
    const shown = describeSettings({ STRIPE_API_URL: 'https://ada:pa@ss@gateway.example/' });
    expect(shown.find(({ name }) => name === 'STRIPE_API_URL')?.value).toBe(
      'https://********@gateway.example/',
    );
  });

  test('needs the key of that gateway', () => {
    expect(faultsOf({ STRIPE_API_URL: 'https://gateway.example' })).toEqual([
      'STRIPE_API_KEY: not set; STRIPE_API_URL needs the key of that gateway',
    ]);
  });
});

describe('the key of the gateway', () => {
  test.each([
    ['any visible ASCII', '!sk_live_~'],
    ['500 characters', 'k'.repeat(500)],
  ])('may be %s', (_name, value) => {
    expect(readConfig({ STRIPE_API_KEY: value }).stripeApiKey).toBe(value);
  });

  test.each([
    ['with a space', 'sk live'],
    ['with the end of its line', 'sk_live\n'],
    ['with what no header carries', 'sk_livé'],
    ['of more than 500 characters', 'k'.repeat(501)],
  ])('may not be one %s, and is not shown', (_name, value) => {
    const fault = 'STRIPE_API_KEY: got a secret, takes visible ASCII characters';
    expect(faultsOf({ STRIPE_API_KEY: value })).toEqual([fault]);
    expect(faultsOf({ STRIPE_API_KEY: value, STRIPE_API_URL: 'https://gateway.example' })).toEqual([fault]);
  });
});

describe('times that have to fit each other', () => {
  const gatewayFault = (gotMs: number, seconds: number) =>
    `GATEWAY_CALL_MAX_MS: got ${gotMs}, takes less than PAYMENT_TIME_MAX_SECONDS (${seconds} s)`;
  const rows: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
    ['none is set', {}, []],
    [
      'a call of the gateway as long as a payment may take',
      { PAYMENT_TIME_MAX_SECONDS: '5', GATEWAY_CALL_MAX_MS: '5000' },
      [gatewayFault(5_000, 5)],
    ],
    [
      'a call of the gateway a millisecond shorter',
      { PAYMENT_TIME_MAX_SECONDS: '5', GATEWAY_CALL_MAX_MS: '4999' },
      [],
    ],
    [
      'payments that may take no longer than a call that nobody has set',
      { PAYMENT_TIME_MAX_SECONDS: '4' },
      [gatewayFault(4_000, 4)],
    ],
    [
      'payments that are answered 202 after they are over',
      { PAYMENT_TIME_MAX_SECONDS: '5', PAY_WAIT_MAX_MS: '5000' },
      ['PAYMENT_TIME_MAX_SECONDS: got 5, takes more than PAY_WAIT_MAX_MS (5000 ms)'],
    ],
    [
      'payments that are answered 202 a millisecond before',
      { PAYMENT_TIME_MAX_SECONDS: '5', PAY_WAIT_MAX_MS: '4999' },
      [],
    ],
    [
      'holds that last longer than holds at most',
      { HOLD_TTL_SECONDS: '301', HOLD_TOTAL_MAX_SECONDS: '300' },
      ['HOLD_TOTAL_MAX_SECONDS: got 300, takes at least HOLD_TTL_SECONDS (301)'],
    ],
    ['holds that last as long as they may', { HOLD_TTL_SECONDS: '300', HOLD_TOTAL_MAX_SECONDS: '300' }, []],
  ];
  test.each(rows)('%s', (_name, environment, faults) => {
    expect(faultsOf(environment)).toEqual(faults);
  });
});
