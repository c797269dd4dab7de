import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { RedisRefusal, type RedisScript } from '../../../src/redis/redis.ts';
import { get, RedisStage, until } from './redis-stage.ts';
import { bulk, nil, otherwiseEmpty, RespServer, refusal } from './resp-server.ts';

const urlOf = (server: RespServer): string => `redis://127.0.0.1:${server.port}`;

describe('calls', () => {
  test('go in one write and in order, under the prefix, and have their replies in order', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server));
    server.answer = otherwiseEmpty(([command, key]) => (command === 'get' ? bulk(`of ${key}`) : undefined));
    const { said } = await stage.call(
      get('a'),
      { command: 'set', keys: ['b'], args: ['1', 'PX', 5] },
      { command: 'del', keys: ['c', 'd'] },
    );
    expect(said).toEqual(['of usher:a', 'OK', 'OK']);
    expect(server.commands).toEqual([
      ['get', 'usher:a'],
      ['set', 'usher:b', '1', 'PX', '5'],
      ['del', 'usher:c', 'usher:d'],
    ]);
    expect(server.writes).toBe(1);
  });

  test('that Redis refuses are refused in their place, and the others are answered', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server));
    server.answer = otherwiseEmpty(([, key]) => (key === 'usher:b' ? refusal('WRONGTYPE no') : nil));
    const { said } = await stage.call(get('a'), get('b'), get('c'));
    expect(said).toEqual([null, new RedisRefusal('WRONGTYPE no'), null]);
    expect(stage.redis.isUsable).toBe(true);
  });

  test('of a script send its text once, and again where Redis has forgotten it', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server));
    const script: RedisScript = { name: 'usherTestScript', keyCount: 1, lua: 'return 1' };
    const run = () => stage.call({ command: script, keys: ['k'], args: [7] });
    await run();
    await run();
    server.answer = otherwiseEmpty(([command]) =>
      command === 'evalsha' ? refusal('NOSCRIPT No matching script.') : undefined,
    );
    expect(await run()).toMatchObject({ said: ['OK'] });
    expect(server.commands.map(([command, text, ...rest]) => [command, text?.length, ...rest])).toEqual([
      ['eval', 8, '1', 'usher:k', '7'],
      ['evalsha', 40, '1', 'usher:k', '7'],
      ['evalsha', 40, '1', 'usher:k', '7'],
      ['eval', 8, '1', 'usher:k', '7'],
    ]);
  });

  test('are refused beyond so many on their way, those that were given up included', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server), { commandsMax: 3, silenceMaxMs: 2_000 });
    server.hold();
    const first = stage.call(get('a'), get('b'));
    expect((await stage.call(get('c'), get('d'))).said).toBe('unavailable');
    const second = stage.call(get('e'));
    expect(stage.redis.isUsable).toBe(false);
    expect([(await first).said, (await second).said]).toEqual(['unavailable', 'unavailable']);
    expect(stage.redis.isUsable).toBe(false);
    server.release();
    await until(() => stage.redis.isUsable);
    expect(server.commands).toHaveLength(3);
    expect((await stage.call(get('f'), get('g'), get('h'))).said).toEqual([null, null, null]);
  });
});

describe('a Redis that hangs', () => {
  test('is waited for within the limit, three times; then not at all, until it answers', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server), { silenceMaxMs: 5_000 });
    server.answer = otherwiseEmpty(([, key]) => (key === undefined ? undefined : bulk(`of ${key}`)));
    server.hold();
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(stage.redis.isUsable).toBe(true);
      const { said, tookMs } = await stage.call(get(`late ${attempt}`));
      expect(said).toBe('unavailable');
      expect(tookMs).toBeGreaterThan(45);
      expect(tookMs).toBeLessThan(500);
    }
    expect(stage.redis.isUsable).toBe(false);
    const skipped = await stage.call(get('skipped'));
    expect(skipped.said).toBe('unavailable');
    expect(skipped.tookMs).toBeLessThan(40);
    expect([stage.timeouts, stage.standing]).toEqual([3, [false, true, false]]);

    server.release();
    await until(() => stage.redis.isUsable);
    expect(server.connections).toBe(1);
    // The replies that nobody waited for any more are nobody else's.
    expect((await stage.call(get('now'))).said).toEqual(['of usher:now']);
    expect(stage.notices).toEqual([{ kind: 'down', message: 'Redis can’t be used: no answer within 50 ms' }]);
  });

  test('is not taken for well while it answers, but always late', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server), { commandLimitMs: 20 });
    server.delayMs = 60;
    for (let attempt = 1; attempt <= 3; attempt++) await stage.call(get('a'));
    await delay(500);
    expect([stage.redis.isUsable, stage.timeouts, server.connections]).toEqual([false, 3, 1]);
    server.delayMs = 0;
    await until(() => stage.redis.isUsable);
    expect(stage.standing).toEqual([false, true, false, true]);
  });

  test('and refuses even a ping is well: it answers', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server), { silenceMaxMs: 5_000 });
    server.answer = otherwiseEmpty(([command]) => (command === 'ping' ? refusal('NOPERM no') : undefined));
    server.hold();
    for (let attempt = 1; attempt <= 3; attempt++) await stage.call(get('a'));
    server.release();
    await until(() => stage.redis.isUsable);
    expect(server.connections).toBe(1);
  });

  test('loses the connection after a longer silence, and gets another', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server), { silenceMaxMs: 200 });
    server.hold();
    await stage.call(get('a'));
    await until(() => server.connections > 1);
    // The greeting of the next one is not answered either: that one goes as well.
    await until(() => server.connections > 2);
    expect(stage.redis.isUsable).toBe(false);
    server.release();
    await until(() => stage.redis.isUsable);
    expect(server.commands.filter(([command]) => command === 'get')).toEqual([['get', 'usher:a']]);
  });
});

describe('a connection that breaks', () => {
  test('fails what is on its way, at once, and sends none of it again', async () => {
    await using server = await RespServer.listen();
    await using stage = await RedisStage.connected(urlOf(server), { commandLimitMs: 2_000 });
    server.hold();
    const calls = [stage.call(get('a')), stage.call(get('b'), get('c'))];
    await until(() => server.commands.length === 3);
    server.drop();
    for (const { said, tookMs } of await Promise.all(calls)) {
      expect(said).toBe('unavailable');
      expect(tookMs).toBeLessThan(1_000);
    }
    server.release();
    await until(() => stage.redis.isUsable);
    expect((await stage.call(get('d'))).said).toEqual([null]);
    expect(server.commands).toHaveLength(4);
  });

  test('is told once, and its return once, however often it is tried again', async () => {
    const server = await RespServer.listen();
    const { port } = server;
    await using stage = await RedisStage.connected(urlOf(server), { noticeEveryMs: 0 });
    await server.close();
    await until(() => stage.notices.length > 0);
    await delay(700);
    expect(stage.notices).toMatchObject([{ kind: 'down' }]);
    expect((await stage.call(get('a'))).said).toBe('unavailable');
    await using _again = await RespServer.listen(port);
    await until(() => stage.redis.isUsable);
    expect(stage.notices).toMatchObject([{ kind: 'down' }, { kind: 'up', message: 'Redis is back' }]);
    expect(stage.standing).toEqual([false, true, false, true]);
  });
});

describe('at the start', () => {
  test('nobody there is told, and Redis may come later', async () => {
    const server = await RespServer.listen();
    const { port } = server;
    await server.close();
    await using stage = new RedisStage(`redis://127.0.0.1:${port}`, { noticeEveryMs: 0 });
    expect((await stage.call(get('a'))).said).toBe('unavailable');
    await until(() => stage.notices.length > 0);
    expect(stage.notices[0]).toMatchObject({
      kind: 'down',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await using _late = await RespServer.listen(port);
    await until(() => stage.redis.isUsable);
  });

  test('a Redis that is still loading is not used yet', async () => {
    await using server = await RespServer.listen();
    let isLoading = true;
    server.answer = otherwiseEmpty(([command]) =>
      command === 'info' && isLoading ? bulk('loading:1\r\nloading_eta_seconds:1\r\n') : undefined,
    );
    await using stage = new RedisStage(urlOf(server));
    await until(() => server.connections > 0);
    await delay(100);
    expect(stage.redis.isUsable).toBe(false);
    isLoading = false;
    await until(() => stage.redis.isUsable);
  });

  test('a wrong password is told without it, and without end', async () => {
    await using server = await RespServer.listen();
    server.answer = otherwiseEmpty(([command]) =>
      command === 'auth'
        ? refusal('WRONGPASS invalid username-password pair or user is disabled.')
        : undefined,
    );
    await using stage = new RedisStage(`redis://usher:s3cr%40t@127.0.0.1:${server.port}/4`, {
      noticeEveryMs: 0,
    });
    await until(() => stage.notices.length > 0 && server.connections > 2);
    expect(stage.notices).toMatchObject([{ message: expect.stringContaining('WRONGPASS') }]);
    expect(JSON.stringify(stage.notices)).not.toContain('s3cr');
    expect(stage.redis.isUsable).toBe(false);
  });
});

test('a server that became a replica is left, once in a while', async () => {
  await using server = await RespServer.listen();
  await using stage = await RedisStage.connected(urlOf(server));
  server.answer = otherwiseEmpty(([command]) =>
    command === 'set' ? refusal('READONLY You can’t write against a read only replica.') : undefined,
  );
  const write = () => stage.call({ command: 'set', keys: ['a'], args: ['1'] });
  expect((await write()).said).toEqual([expect.any(RedisRefusal)]);
  await until(() => server.connections === 2 && stage.redis.isUsable);
  expect((await write()).said).toEqual([expect.any(RedisRefusal)]);
  await delay(200);
  expect(server.connections).toBe(2);
});

test('rediss:// speaks TLS, and in the clear to nobody', async () => {
  const first = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => socket.once('data', first.resolve).on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await using _stage = new RedisStage(`rediss://:secret@127.0.0.1:${port}`);
  const [recordType, majorVersion] = await first.promise;
  server.close();
  // A handshake record of TLS.
  expect([recordType, majorVersion]).toEqual([22, 3]);
});

describe('closing', () => {
  test('waits for what is on its way, and refuses what comes later', async () => {
    await using server = await RespServer.listen();
    const stage = await RedisStage.connected(urlOf(server));
    server.delayMs = 20;
    const call = stage.call(get('a'));
    const closing = stage.redis.close();
    expect((await stage.call(get('b'))).said).toBe('unavailable');
    expect((await call).said).toEqual([null]);
    await closing;
    await delay(300);
    expect([server.connections, stage.notices]).toEqual([1, []]);
  });

  test('does not wait long for one that hangs', async () => {
    await using server = await RespServer.listen();
    const stage = await RedisStage.connected(urlOf(server));
    server.hold();
    const call = stage.call(get('a'));
    const startedMs = performance.now();
    await stage.redis.close();
    expect(performance.now() - startedMs).toBeLessThan(500);
    expect((await call).said).toBe('unavailable');
  });

  test('while there is nobody', async () => {
    const server = await RespServer.listen();
    const url = urlOf(server);
    await server.close();
    const stage = new RedisStage(url, { noticeEveryMs: 0 });
    await until(() => stage.notices.length > 0);
    await stage.redis.close();
    await using again = await RespServer.listen(Number(new URL(url).port));
    await delay(300);
    expect([stage.redis.isUsable, again.connections]).toEqual([false, 0]);
  });
});
