import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreUnavailable } from '../../../../src/actors/runtime/ports.ts';
import type { MySqlSession } from '../../../../src/mysql/session.ts';
import { Connections } from '../../../../src/persistence/mysql/connections.ts';
import { ScriptedMySql } from '../../mysql/scripted-mysql.ts';

describe('Connections.browse', () => {
  let primary: ScriptedMySql;
  let replica: ScriptedMySql;
  let connections: Connections;
  let told: string[];
  let nowMs: number;

  beforeEach(async () => {
    [primary, replica] = [await ScriptedMySql.start(), await ScriptedMySql.start()];
    told = [];
    nowMs = 1_000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const options = (server: ScriptedMySql) => ({
      url: server.url,
      tls: undefined,
      statementLimitMs: 300,
      slowStatementMs: 10_000,
    });
    connections = new Connections(
      {
        primary: options(primary),
        replica: options(replica),
        holder: 'test',
        poolMax: 2,
        patienceMs: 100,
      },
      { onSlowStatement: () => {}, onReplicaFault: ({ message }) => told.push(message) },
    );
  });
  afterEach(async () => {
    await connections.close();
    vi.restoreAllMocks();
    for (const server of [primary, replica]) server.stop();
  });

  const ask = (session: MySqlSession) => session.change('ASK');
  const asked = () =>
    [primary, replica].map(({ statements }) => statements.filter((each) => each === 'ASK').length);

  it('asks the replica, and nobody else', async () => {
    await connections.browse(ask);
    expect(asked()).toEqual([0, 1]);
    expect(connections.stats().map(({ pool }) => pool)).toEqual(['primary', 'recovery', 'replica']);
  });

  it('leaves one that failed alone for a while, and comes back to it', async () => {
    replica.answer = (statement) => (statement === 'ASK' ? { errno: 1146, message: 'no such table' } : 'ok');
    await connections.browse(ask);
    await connections.browse(ask);
    expect(asked()).toEqual([2, 1]);
    expect(told).toEqual([expect.stringMatching(/no such table/)]);
    nowMs += 4_999;
    await connections.browse(ask);
    expect(asked()).toEqual([3, 1]);
    nowMs += 1;
    replica.answer = () => 'ok';
    await connections.browse(ask);
    expect(asked()).toEqual([3, 2]);
    expect(told.length).toBe(1);
  });

  it('tells once of a fault that several met', async () => {
    replica.answer = (statement) => (statement === 'ASK' ? 'cut' : 'ok');
    await Promise.all([connections.browse(ask), connections.browse(ask)]);
    expect(asked()[0]).toBe(2);
    expect(told.length).toBe(1);
  });

  it('throws what is wrong with the question, and asks nobody else', async () => {
    await expect(connections.browse(() => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
    expect(asked()).toEqual([0, 0]);
    expect(told).toEqual([]);
  });

  it('is unavailable when neither answers', async () => {
    for (const server of [primary, replica]) {
      server.answer = (statement) => (statement === 'ASK' ? 'cut' : 'ok');
    }
    await expect(connections.browse(ask)).rejects.toThrow(StoreUnavailable);
  });
});
