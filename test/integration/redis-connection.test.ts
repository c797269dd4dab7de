import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Redis, startRedis } from '../../scripts/servers/redis.ts';
import type { RedisScript } from '../../src/redis/redis.ts';
import { get, RedisStage } from '../unit/redis/redis-stage.ts';

let server: Redis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

test('a stall of our own process is not taken for one of Redis', async () => {
  await using stage = await RedisStage.connected(server.url);
  for (let round = 0; round < 5; round++) {
    const call = stage.call(get('a'));
    // What was written is on its way when the event loop stops, and the answer waits in the socket after that.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 120);
    expect((await call).said).toEqual([null]);
  }
  expect([stage.timeouts, stage.redis.isUsable]).toEqual([0, true]);
});

test('a script that Redis has forgotten is sent again', async () => {
  await using stage = await RedisStage.connected(server.url);
  const script: RedisScript = { name: 'usherEcho', keyCount: 1, lua: 'return KEYS[1] .. ARGV[1]' };
  const run = (text: string) => stage.call({ command: script, keys: ['k'], args: [text] });
  expect([(await run('a')).said, (await run('b')).said]).toEqual([['usher:ka'], ['usher:kb']]);
  const client = new Client(server.url);
  await client.script('FLUSH');
  client.disconnect();
  expect((await run('c')).said).toEqual(['usher:kc']);
});
