import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../src/config.ts';

const clustered = {
  CLUSTER_SECRET: 'x'.repeat(32),
  MYSQL_URL: 'mysql://usher@127.0.0.1/usher',
  REDIS_URL: 'redis://127.0.0.1',
  NODE_ID: 'node-1',
  HOST: '10.0.0.1',
};

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

const without = (name: keyof typeof clustered) => {
  const { [name]: _left, ...rest } = clustered;
  return rest;
};

describe('a node of a cluster', () => {
  test('is one that has the secret', () => {
    expect(readConfig(without('CLUSTER_SECRET')).cluster).toBeUndefined();
    expect(readConfig(clustered).cluster).toEqual({
      secret: 'x'.repeat(32),
      internalPort: 8082,
      advertiseHost: '10.0.0.1',
      drainMaxMs: 30_000,
      movesInFlightMax: 8,
      parkedCallsMax: 10_000,
    });
  });

  test('takes what it is told', () => {
    const told = {
      ...clustered,
      INTERNAL_PORT: '0',
      ADVERTISE_HOST: 'n1.example',
      DRAIN_MAX_SECONDS: '0',
      MOVES_IN_FLIGHT_MAX: '64',
      PARKED_CALLS_MAX: '1',
    };
    expect(readConfig(told).cluster).toMatchObject({
      internalPort: 0,
      advertiseHost: 'n1.example',
      drainMaxMs: 0,
      movesInFlightMax: 64,
      parkedCallsMax: 1,
    });
  });

  test.each([
    ['without the store that nodes share', without('MYSQL_URL'), /^CLUSTER_SECRET: needs MYSQL_URL/],
    ['without a place to meet', without('REDIS_URL'), /^CLUSTER_SECRET: needs REDIS_URL/],
    ['of a name with a slash', { ...clustered, NODE_ID: 'a/b' }, /^NODE_ID: got "a\/b"/],
    ['of a name too long', { ...clustered, NODE_ID: 'n'.repeat(65) }, /^NODE_ID: got/],
    ['at every address', { ...clustered, HOST: '0.0.0.0' }, /^ADVERTISE_HOST: not set/],
    ['at every address, of the other kind', { ...clustered, HOST: '::' }, /^ADVERTISE_HOST: not set/],
    ['with a secret to guess', { ...clustered, CLUSTER_SECRET: 'x'.repeat(31) }, /^CLUSTER_SECRET: /],
    ['with no moves', { ...clustered, MOVES_IN_FLIGHT_MAX: '0' }, /^MOVES_IN_FLIGHT_MAX: /],
    ['at no host', { ...clustered, ADVERTISE_HOST: 'n 1' }, /^ADVERTISE_HOST: /],
  ])('does not start %s', (_what, environment, line) => {
    const faults = faultsOf(environment);
    expect([faults.length, faults[0]]).toEqual([1, expect.stringMatching(line)]);
  });

  test('listens everywhere, where it says where it is reached', () => {
    expect(faultsOf({ ...clustered, HOST: '0.0.0.0', ADVERTISE_HOST: 'n1.example' })).toEqual([]);
  });

  test('does not show its secret where it is wrong', () => {
    expect(faultsOf({ ...clustered, CLUSTER_SECRET: 'guessable' }).join()).not.toContain('guessable');
  });
});
