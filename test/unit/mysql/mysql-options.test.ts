import { describe, expect, it } from 'vitest';
import { connectionOptions, type MySqlTls } from '../../../src/mysql/mysql-options.ts';

const optionsFor = (url: string, tls?: MySqlTls) =>
  connectionOptions({ url, tls, statementLimitMs: 1, slowStatementMs: 1 });

const tls: MySqlTls = { ca: 'CA', cert: undefined, key: undefined };

describe('connectionOptions', () => {
  it.each([
    ['mysql://u:p@db.example:3307/usher', { host: 'db.example', port: 3307, user: 'u', database: 'usher' }],
    ['mysql://u:p@db.example/usher', { port: 3306 }],
    ['mysql://u%40x:p%2F%3A%40%25@db/usher_1', { user: 'u@x', password: 'p/:@%', database: 'usher_1' }],
    ['mysql://u:p@[2001:db8::1]:3306/usher', { host: '2001:db8::1' }],
    ['mysql://u@db/usher', { user: 'u', password: '' }],
  ])('%s', (url, expected) => {
    expect(optionsFor(url)).toMatchObject(expected);
  });

  it('asks for no file of ours, and for one statement a text', () => {
    const { flags, multipleStatements } = optionsFor('mysql://u:p@db/usher');
    expect(flags).toEqual(['-LOCAL_FILES']);
    expect(multipleStatements).toBeUndefined();
  });

  it('is not encrypted unless that is asked for', () => {
    expect(optionsFor('mysql://u:p@db/usher').ssl).toBeUndefined();
  });

  it('encrypted: verifies certificate and name, always', () => {
    expect(optionsFor('mysql://u:p@db/usher', tls).ssl).toEqual({
      rejectUnauthorized: true,
      verifyIdentity: true,
      minVersion: 'TLSv1.2',
      ca: 'CA',
    });
    const own = optionsFor('mysql://u:p@db/usher', { ca: undefined, cert: 'CERT', key: 'KEY' }).ssl;
    expect(own).toMatchObject({ cert: 'CERT', key: 'KEY' });
    expect(own).not.toHaveProperty('ca');
  });

  it('encrypted, to an address: the socket knows the address, which a certificate must name', () => {
    expect(optionsFor('mysql://u:p@db/usher', tls).stream).toBeUndefined();
    expect(optionsFor('mysql://u:p@127.0.0.1:1/usher').stream).toBeUndefined();
    const socket = optionsFor('mysql://u:p@127.0.0.1:1/usher', tls).stream();
    socket.on('error', () => {});
    expect(socket._host).toBe('127.0.0.1');
    socket.destroy();
  });
});
