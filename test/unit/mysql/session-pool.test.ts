import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MySqlSession } from '../../../src/mysql/session.ts';
import { SessionPool, type SessionPoolOptions } from '../../../src/mysql/session-pool.ts';
import { ScriptedMySql } from './scripted-mysql.ts';

describe('SessionPool', () => {
  let server: ScriptedMySql;
  let pool: SessionPool;

  beforeEach(async () => {
    server = await ScriptedMySql.start();
    pool = poolOf({});
  });
  afterEach(async () => {
    await pool.close();
    server.stop();
  });

  const poolOf = (options: Partial<SessionPoolOptions>) =>
    new SessionPool({
      name: 'reads',
      session: {
        url: server.url,
        tls: undefined,
        statementLimitMs: 300,
        slowStatementMs: 300,
        observer: { onSlowStatement: () => {} },
      },
      connectionsMax: 2,
      waitingMax: 2,
      waitLimitMs: 150,
      ...options,
    });

  /** Has a session until it is told to give it back. */
  function held(): { giveBack: () => void; call: Promise<MySqlSession> } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = pool.use(async (session) => {
      await promise;
      return session;
    });
    call.catch(() => {});
    return { giveBack: resolve, call };
  }

  const stats = () => {
    const { inUse, waiting, timeouts, gets } = pool.stats();
    return { inUse, waiting, timeouts, gets };
  };

  it('opens no more than it may, and gives them on, first come first served', async () => {
    const holders = [held(), held()];
    await vi.waitFor(() => expect(server.opened).toBe(2));
    const order: number[] = [];
    const waiters = [1, 2].map((n) => pool.use(async () => void order.push(n)));
    expect(stats()).toMatchObject({ inUse: 2, waiting: 2 });
    holders[0]!.giveBack();
    await Promise.all(waiters);
    expect(order).toEqual([1, 2]);
    holders[1]!.giveBack();
    await holders[1]!.call;
    expect(server.opened).toBe(2);
    expect(stats()).toEqual({ inUse: 0, waiting: 0, timeouts: 0, gets: 4 });
    expect(pool.stats()).toMatchObject({ pool: 'reads', connectionsMax: 2 });
    expect(pool.stats().getSeconds).toBeGreaterThan(0);
  });

  it('uses what is free again, and opens nothing for it', async () => {
    for (let i = 0; i < 5; i++) await pool.use((session) => session.change('DO 1'));
    expect(server.opened).toBe(1);
  });

  it('a caller waits no longer than the limit, and its place goes to the next', async () => {
    const holders = [held(), held()];
    await expect(pool.use(async () => 1)).rejects.toThrow('no connection of the pool "reads" within 150 ms');
    expect(stats()).toMatchObject({ inUse: 2, waiting: 0, timeouts: 1 });
    for (const { giveBack } of holders) giveBack();
    expect(await pool.use(async () => 2)).toBe(2);
  });

  it('one waiter more than it has room for is refused at once', async () => {
    const holders = [held(), held()];
    const waiters = [pool.use(async () => 1), pool.use(async () => 2)];
    const startedMs = performance.now();
    await expect(pool.use(async () => 3)).rejects.toThrow('2 callers wait for the pool "reads" already');
    expect(performance.now() - startedMs).toBeLessThan(140);
    for (const { giveBack } of holders) giveBack();
    expect(await Promise.all(waiters)).toEqual([1, 2]);
  });

  it('makes room for another when a session was lost, in use or idle', async () => {
    server.answer = (statement) => (statement === 'LOSE' ? 'cut' : 'ok');
    await expect(pool.use((session) => session.change('LOSE'))).rejects.toThrow(/MySQL/);
    await pool.use((session) => session.change('DO 1'));
    expect(server.opened).toBe(2);
    server.cutAll();
    await vi.waitFor(() => expect(server.connections).toBe(0));
    await vi.waitFor(() => pool.use((session) => session.change('DO 1')));
    expect(stats()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  it('gives a session back whatever its work threw', async () => {
    for (let i = 0; i < 5; i++) {
      await expect(pool.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    }
    expect(stats()).toMatchObject({ inUse: 0 });
  });

  it('keeps no place for sessions that could not be opened', async () => {
    server.refusal = { code: 1040, message: 'Too many connections' };
    const calls = Array.from({ length: 4 }, () =>
      pool.use(async () => 1).catch((error: Error) => error.message),
    );
    for (const message of await Promise.all(calls)) expect(message).toMatch(/Too many connections/);
    server.refusal = undefined;
    expect(await pool.use(async () => 1)).toBe(1);
    expect(stats()).toMatchObject({ inUse: 0, waiting: 0, timeouts: 0 });
  });

  it('takes a session back that came too late for its caller', async () => {
    // Setting a session up is a statement: it is answered after the limit of the wait.
    server.answer = () => ({ okAfterMs: 220 });
    await expect(pool.use(async () => 1)).rejects.toThrow(/within 150 ms/);
    expect(stats()).toMatchObject({ inUse: 1, timeouts: 1 });
    await vi.waitFor(() => expect(stats()).toMatchObject({ inUse: 0 }));
    server.answer = () => 'ok';
    expect(await pool.use(async () => 1)).toBe(1);
    expect(server.opened).toBe(1);
  });

  it('closed: refuses, and ends what is given back', async () => {
    const holder = held();
    const waiters = [held(), held()];
    await vi.waitFor(() => expect(server.opened).toBe(2));
    await pool.close();
    await expect(waiters[1]!.call).rejects.toThrow('the store is closed');
    await expect(pool.use(async () => 1)).rejects.toThrow('the store is closed');
    for (const { giveBack } of [holder, waiters[0]!]) giveBack();
    await vi.waitFor(() => expect(server.connections).toBe(0));
    expect(stats()).toMatchObject({ inUse: 0, waiting: 0 });
  });
});
