import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultOf, MySqlFault, type MySqlFaultKind } from '../../../src/mysql/mysql-fault.ts';
import { MySqlSession } from '../../../src/mysql/session.ts';
import { ScriptedMySql } from './scripted-mysql.ts';

type Row = [errno: number, kind: MySqlFaultKind, says: RegExp, isConstraint?: true];

/** What the server says, what its caller is to do, and what people read. */
const numbers: readonly Row[] = [
  [1205, 'again', /gave the transaction up/],
  [1213, 'again', /gave the transaction up/],
  [1020, 'again', /gave the transaction up/],
  [1290, 'reconnect', /is read-only/],
  [1792, 'reconnect', /is read-only/],
  [1836, 'reconnect', /is read-only/],
  [1040, 'reconnect', /has no connection to give \(max_connections\)/],
  [1203, 'reconnect', /has no connection to give/],
  [1226, 'reconnect', /has no connection to give/],
  [1047, 'reconnect', /ended the connection/],
  [1053, 'reconnect', /ended the connection/],
  [1317, 'reconnect', /ended the connection/],
  [1927, 'reconnect', /ended the connection/],
  [2006, 'reconnect', /ended the connection/],
  [2013, 'reconnect', /ended the connection/],
  [3100, 'reconnect', /ended the connection/],
  [3101, 'reconnect', /ended the connection/],
  [3169, 'reconnect', /ended the connection/],
  [4031, 'reconnect', /ended the connection/],
  [1153, 'reconnect', /max_allowed_packet/],
  [1021, 'unavailable', /is its disk full/],
  [1026, 'unavailable', /is its disk full/],
  [1030, 'unavailable', /is its disk full/],
  [1114, 'unavailable', /is its disk full/],
  [1044, 'unavailable', /refuses access/],
  [1045, 'unavailable', /refuses access/],
  [1049, 'unavailable', /refuses access/],
  [1129, 'unavailable', /refuses access/],
  [3159, 'unavailable', /refuses access/],
  [1064, 'unavailable', /refused a statement \(1064\)/],
  [1146, 'unavailable', /refused a statement \(1146\)/],
  [1048, 'unavailable', /refused a statement/, true],
  [1062, 'unavailable', /refused a statement/, true],
  [1264, 'unavailable', /refused a statement/, true],
  [1366, 'unavailable', /refused a statement/, true],
  [1406, 'unavailable', /refused a statement/, true],
  [1452, 'unavailable', /refused a statement/, true],
  [1690, 'unavailable', /refused a statement/, true],
  [3819, 'unavailable', /refused a statement/, true],
  [3988, 'unavailable', /refused a statement/, true],
  [4025, 'unavailable', /refused a statement/, true],
];

const systemCodes = ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT'];

describe('faultOf', () => {
  it.each(numbers)('%i is %s', (errno, kind, says, isConstraint = false as never) => {
    const fault = faultOf(Object.assign(new Error('what it said'), { errno }), 'SELECT ?');
    expect(fault).toMatchObject({ kind, errno, isServers: true, isConstraint });
    expect(fault.message).toMatch(says);
    expect(fault.message).toMatch(/^MySQL .*: what it said \[SELECT \?\]$/);
    expect(fault.endsConnection).toBe(kind === 'reconnect');
  });

  it.each(systemCodes)('%s: nobody answers, and another connection may be answered', (code) => {
    const fault = faultOf(Object.assign(new Error('connect'), { errno: -111, code }), 'connect');
    expect(fault).toMatchObject({ kind: 'reconnect', isServers: false, endsConnection: true });
    expect(fault.message).toBe('MySQL does not answer: connect [connect]');
  });

  it.each<[string, unknown]>([
    ['an error of the protocol', Object.assign(new Error('unexpected packet'), { code: 'PROTOCOL_ERROR' })],
    ['a certificate', Object.assign(new Error('self-signed'), { code: 'HANDSHAKE_SSL_ERROR', fatal: true })],
    ['anything', 'thrown'],
  ])('%s ends the connection: nobody knows what it would answer next', (_, error) => {
    expect(faultOf(error, 'x')).toMatchObject({ kind: 'reconnect', errno: undefined, endsConnection: true });
  });

  it('a refusal that ended the connection is tried on another one', () => {
    const error = Object.assign(new Error('aborted'), { errno: 9999, fatal: true });
    expect(faultOf(error, 'x')).toMatchObject({ kind: 'reconnect', errno: 9999 });
  });

  it('has the name of the error where it has no message, as where a host has several addresses', () => {
    const error = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    expect(faultOf(error, 'connect').message).toBe('MySQL does not answer: ECONNREFUSED [connect]');
  });

  it('leaves a fault as it is', () => {
    const fault = new MySqlFault('again', 'once', {});
    expect(faultOf(fault, 'x')).toBe(fault);
  });
});

describe('a session that hears it', () => {
  let server: ScriptedMySql;

  beforeEach(async () => {
    server = await ScriptedMySql.start();
  });
  afterEach(() => server.stop());

  const open = () =>
    MySqlSession.open({
      url: server.url,
      tls: undefined,
      statementLimitMs: 500,
      slowStatementMs: 500,
      observer: { onSlowStatement: () => {} },
    });

  it.each(numbers)('%i is %s, and the session goes on or ends with it', async (errno, kind, says) => {
    const session = await open();
    server.answer = () => ({ errno, message: 'what it said' });
    const fault = await session.change('UPDATE t SET a = ?', ['a secret']).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(MySqlFault);
    expect(fault).toMatchObject({ kind, errno, message: expect.stringMatching(says) });
    expect(session.isOpen).toBe(kind !== 'reconnect');
    session.destroy();
  });

  it('opens with the old word for the isolation level where the server knows no other', async () => {
    server.answer = (statement) =>
      statement.includes('transaction_isolation') ? { errno: 1193, message: 'Unknown variable' } : 'ok';
    const session = await open();
    expect(server.statements).toEqual([
      expect.stringContaining("transaction_isolation = 'READ-COMMITTED'"),
      expect.stringContaining("SESSION tx_isolation = 'READ-COMMITTED'"),
    ]);
    session.destroy();
  });

  it('is refused in place of hello', async () => {
    server.refusal = { code: 1040, message: 'Too many connections' };
    await expect(open()).rejects.toMatchObject({ kind: 'reconnect', errno: 1040 });
  });
});
