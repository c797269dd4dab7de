import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installedProgram, pathOf } from '../servers/installed.ts';
import { runCommand } from '../servers/run-command.ts';
import { ServerFolder } from '../servers/server-folder.ts';
import { ServerProcess } from '../servers/server-process.ts';
import { Docker } from './docker.ts';

interface ReachedDaemon {
  readonly docker: Docker;
  /** Ends the daemon, with all that it has on disk, if it was started here. */
  end(): Promise<void>;
}

const otherwise = 'start a Docker daemon that this user may talk to (docker info)';

/** Of a daemon's own bridge; it stays behind when the daemon ends. */
const bridge = 'docker0';

/**
 * The daemon that runs here; else one of our own on a socket and a data folder of its own, which needs root.
 * @throws Error whose line says what to install.
 */
export async function reachDaemon(): Promise<ReachedDaemon> {
  const running = new Docker();
  const isRunning = () => pathOf('docker') !== undefined && running.attempt(['info']).status === 0;
  if (isRunning()) return { docker: running, end: async () => undefined };
  const path = installedProgram({
    command: 'dockerd',
    aptPackages: ['docker.io', 'iproute2'],
    aboutS: 40,
    otherwise,
  });
  // Where there is an init system, its installation has started it.
  if (isRunning()) return { docker: running, end: async () => undefined };
  if (process.getuid?.() !== 0)
    throw new Error(`no Docker daemon answers, and only root can start one: ${otherwise}`);
  return startDaemon(path);
}

async function startDaemon(path: string): Promise<ReachedDaemon> {
  console.error('usher: no Docker daemon answers; starting one for this check');
  const hadBridge = existsSync(`/sys/class/net/${bridge}`);
  const folder = new ServerFolder('dockerd');
  const host = `unix://${join(folder.path, 'docker.sock')}`;
  const args = [
    ...['--host', host, '--pidfile', join(folder.path, 'docker.pid')],
    ...['--data-root', join(folder.path, 'data'), '--exec-root', join(folder.path, 'exec')],
    // Published ports go through its proxy, and builds through the host's network: the host's rules stay as they are.
    ...['--iptables=false', '--ip6tables=false', '--ip-masq=false', '--ip-forward=false'],
  ];
  const daemon = await ServerProcess.start('dockerd', folder, {
    path,
    args,
    readyPattern: /API listen on .*docker\.sock/,
  });
  return {
    docker: new Docker(host),
    end: async () => {
      // By a signal that it heeds: it ends containerd and unmounts the containers' file systems.
      await daemon.shutDown();
      for (const mount of mountsBelow(folder.path)) runCommand('umount', [mount]);
      await daemon.stop();
      if (!hadBridge) runCommand('ip', ['link', 'delete', bridge]);
    },
  };
}

/** The daemon leaves a network namespace mounted. */
function mountsBelow(folder: string): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${folder}/`));
}
