import { describe, expect, test } from 'vitest';
import { redisAddress } from '../../../src/redis/redis-address.ts';

describe('an address', () => {
  test.each([
    ['redis://cache', { host: 'cache', port: 6379 }],
    ['redis://cache:7000/', { host: 'cache', port: 7000 }],
    ['redis://cache/3', { host: 'cache', port: 6379, db: 3 }],
    ['redis://:p%40ss@cache', { host: 'cache', port: 6379, password: 'p@ss' }],
    ['redis://ann:p@cache', { host: 'cache', port: 6379, username: 'ann', password: 'p' }],
    ['redis://[::1]:7000', { host: '::1', port: 7000 }],
    ['rediss://cache', { host: 'cache', port: 6379, tls: {} }],
  ])('%s', (url, address) => {
    expect(redisAddress(url)).toEqual(address);
  });

  test.each([
    'cache:6379',
    'http://cache',
    'redis://',
    'redis:cache',
    'redis://ann:s3cret@cache/zero',
    'redis://ann:s3cret@cache?enableOfflineQueue=true',
    'redis://ann:s3cret@cache#x',
    'redis://ann:s3cret@cache:port',
    '/var/run/redis.sock',
    '',
  ])('and %s is none, and is not repeated', (url) => {
    expect(() => redisAddress(url)).toThrow(/^the URL of Redis is not redis:/);
    expect(() => redisAddress(url)).not.toThrow(/s3cret/);
  });
});
