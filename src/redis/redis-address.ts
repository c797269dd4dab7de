import type { RedisOptions } from 'ioredis';

type RedisAddress = Pick<RedisOptions, 'host' | 'port' | 'username' | 'password' | 'db' | 'tls'>;

/**
 * `redis://user:password@host:port/database`, or rediss:// for TLS, which trusts what Node trusts
 * (NODE_EXTRA_CA_CERTS adds to it). Options in a query are refused: ioredis would take them before ours, its
 * queues included.
 *
 * @throws Error that does not repeat the URL: it may hold a password.
 */
export function redisAddress(url: string): RedisAddress {
  const parsed = URL.parse(url);
  const isTls = parsed?.protocol === 'rediss:';
  const database = /^\/?(\d{0,5})$/.exec(parsed?.pathname ?? '')?.[1];
  if (
    parsed === null ||
    parsed.hostname === '' ||
    parsed.search + parsed.hash !== '' ||
    database === undefined ||
    !(isTls || parsed.protocol === 'redis:')
  ) {
    throw new Error('the URL of Redis is not redis://user:password@host:port/database, or rediss:// for TLS');
  }
  const { hostname, port, username, password } = parsed;
  return {
    // An IPv6 address stands in brackets in a URL, and nowhere else.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 6379 : Number(port),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(database !== '' && { db: Number(database) }),
    ...(isTls && { tls: {} }),
  };
}
