import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onFreePorts } from './free-port.ts';
import { installedProgram } from './installed.ts';
import { ServerFolder } from './server-folder.ts';
import { type ServerControl, ServerProcess } from './server-process.ts';

/** The load balancer of deploy/, before nodes on this machine. */
export interface LoadBalancer extends ServerControl {
  readonly url: string;
  /** 200 while a node is ready. */
  readonly healthUrl: string;
}

const configuration = fileURLToPath(new URL('../../deploy/haproxy.cfg', import.meta.url));

const startTimeoutMs = 10_000;

/** @param nodePorts of usher-1, usher-2 and usher-3. */
export async function startLoadBalancer(nodePorts: readonly number[]): Promise<LoadBalancer> {
  const path = installedProgram({
    command: 'haproxy',
    aptPackages: ['haproxy'],
    aboutS: 10,
    otherwise: 'leave out the tests that need it',
  });
  const folder = new ServerFolder('haproxy');
  const file = join(folder.path, 'haproxy.cfg');
  try {
    return await onFreePorts(2, async (ports) => {
      writeFileSync(file, onThisMachine(nodePorts, ports));
      const command = { path, args: ['-db', '-V', '-f', file], readyPattern: /polling mechanism/ };
      const server = await ServerProcess.start('HAProxy', folder, command);
      const [url = '', healthUrl = ''] = ports.map((port) => `http://127.0.0.1:${port}`);
      const balancer = Object.assign(server, { url, healthUrl: `${healthUrl}/alive` });
      await answers(balancer);
      return balancer;
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** It logs nothing when it has taken its ports. @throws Error with its log when it does not answer in time. */
async function answers({ healthUrl, folder }: LoadBalancer): Promise<void> {
  for (const untilMs = performance.now() + startTimeoutMs; ; ) {
    try {
      await (await fetch(healthUrl)).arrayBuffer();
      return;
    } catch {
      if (performance.now() > untilMs) {
        throw new Error(
          `HAProxy was not ready within ${startTimeoutMs} ms:\n${readFileSync(join(folder, 'server.log'), 'utf8')}`,
        );
      }
      await delay(10);
    }
  }
}

/** Its file as it is, but for the addresses. */
function onThisMachine(nodePorts: readonly number[], [port, healthPort]: readonly number[]): string {
  return readFileSync(configuration, 'utf8')
    .replace(/bind :8080$/m, `bind 127.0.0.1:${port}`)
    .replace(/bind 127\.0\.0\.1:8404$/m, `bind 127.0.0.1:${healthPort}`)
    .replaceAll(/(server usher-(\d)) \S+$/gm, (_, server, number) => {
      return `${server} 127.0.0.1:${nodePorts[Number(number) - 1]}`;
    });
}
