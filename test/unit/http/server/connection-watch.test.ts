import { describe, expect, test } from 'vitest';
import { HttpServer, serverLimits } from '../../../../src/http/server/http-server.ts';
import { RawConnection } from '../client.ts';
import { openPublicPort } from '../open-port.ts';

const get = 'GET /healthz HTTP/1.1\r\nHost: usher\r\n\r\n';

describe('the watch over connections', () => {
  test('counts those that are open', async () => {
    await using open = await openPublicPort();
    expect(open.server.connections).toBe(0);
    const connection = new RawConnection(open.port);
    connection.write(get);
    await connection.until(/"ok"/);
    expect(open.server.connections).toBe(1);
  });

  test('leaves one alone that goes on asking', async () => {
    await using open = await openPublicPort({ limits: { keepAliveTimeoutMs: 150, checkEveryMs: 20 } });
    const connection = new RawConnection(open.port);
    for (let i = 0; i < 10; i++) {
      connection.received = '';
      connection.write(get);
      await connection.until(/"ok"/);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(connection.socket.destroyed).toBe(false);
  });
});

test('a server that never listened closes', async () => {
  await using open = await openPublicPort();
  const server = new HttpServer({
    handler: () => {},
    limits: serverLimits,
    observer: open.metrics.http,
    log: { warn: () => {}, error: () => {} },
  });
  await expect(server.close(1_000)).resolves.toBeUndefined();
});
