import { onFreePorts } from './free-port.ts';
import { installedProgram } from './installed.ts';
import { ServerFolder } from './server-folder.ts';
import { type ServerControl, ServerProcess } from './server-process.ts';

/** A Redis of our own on a free loopback port. */
export interface Redis extends ServerControl {
  readonly url: string;
  readonly port: number;
}

export interface RedisOptions {
  /**
   * Keeps every write on disk before it is answered. Default false: a Redis that is killed comes back empty,
   * as most that are in use do.
   */
  readonly isDurable?: boolean;
}

export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const path = installedProgram({
    command: 'redis-server',
    aptPackages: ['redis-server'],
    aboutS: 15,
    otherwise: 'name a running server by TEST_REDIS_URL',
  });
  const folder = new ServerFolder('redis');
  const appendOnly = options.isDurable === true ? 'yes' : 'no';
  try {
    const { server, port } = await onFreePorts(1, async ([port]) => ({
      port,
      server: await ServerProcess.start('Redis', folder, {
        path,
        args: [
          ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder.path],
          ...['--save', '', '--appendonly', appendOnly, '--appendfsync', 'always'],
        ],
        readyPattern: /Ready to accept connections/,
      }),
    }));
    return Object.assign(server, { url: `redis://127.0.0.1:${port}`, port: Number(port) });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
