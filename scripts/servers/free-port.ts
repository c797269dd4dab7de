import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range from which the kernel takes ports of outgoing connections (32768 on Linux). A server that
 * is killed must get its port back at its restart; a port of that range could meanwhile be one end of anybody's
 * connection, or of a connection to itself: a client that tries again and again to reach a port of that range
 * is once given the same port to call from, and then talks to itself.
 */
const portMin = 15_000;
const portMax = 32_000;
const attemptsMax = 100;

/** A loopback port that nobody listens on now. Another process may be faster: see `onFreePorts`. */
async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const port = randomInt(portMin, portMax);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${portMin} and ${portMax} after ${attemptsMax} attempts`);
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once('error', () => resolve(false));
  probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  return promise;
}

/** Starts what needs `count` ports, again on others when somebody took one of them in the meantime. */
export async function onFreePorts<Result>(
  count: number,
  start: (ports: readonly number[]) => Promise<Result>,
): Promise<Result> {
  for (let attemptsLeft = 5; ; attemptsLeft -= 1) {
    const ports = new Set<number>();
    while (ports.size < count) ports.add(await freePort());
    try {
      return await start([...ports]);
    } catch (error) {
      if (attemptsLeft === 0 || !/address already in use/i.test(`${error}`)) throw error;
    }
  }
}
