import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { announced, runCommand } from './run-command.ts';

/** A program that a server needs, and how it is had. */
export interface Program {
  readonly command: string;
  /** What Debian has it in, and what it needs. */
  readonly aptPackages: readonly string[];
  /** How long their installation takes, roughly. */
  readonly aboutS: number;
  /** What else would do, for the message: `name a server by TEST_MYSQL_URL`. */
  readonly otherwise: string;
}

/** Where servers are that a user's own PATH does not list. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * The path of the program, which is installed by apt-get when it is missing and we are root.
 * @throws Error whose line says what to install.
 */
export function installedProgram(program: Program): string {
  const { command, aptPackages, aboutS, otherwise } = program;
  const path = pathOf(command) ?? (installByApt(aptPackages, aboutS) ? pathOf(command) : undefined);
  if (path !== undefined) return path;
  throw new Error(
    `${command} is missing, and only root can have it installed, with apt-get: install it (Debian: ${aptPackages.join(' ')}), or ${otherwise}`,
  );
}

/** False when there is no apt-get, or we are not root. @throws Error when apt-get fails. */
export function installByApt(packages: readonly string[], aboutS: number): boolean {
  if (process.getuid?.() !== 0 || pathOf('apt-get') === undefined) return false;
  announced(`installing ${packages.join(' ')} with apt-get`, `once, about ${aboutS} s`, () => {
    updatePackageLists();
    aptGet('install', '-y', '--no-install-recommends', ...packages);
  });
  return true;
}

/** Two test runs may install at once: apt-get waits for dpkg's lock, but gives up at once for that of its lists. */
function updatePackageLists(): void {
  for (let attemptsLeft = 60; ; attemptsLeft -= 1) {
    try {
      aptGet('update');
      return;
    } catch (error) {
      if (attemptsLeft === 0 || !/could not get lock|unable to lock/i.test(`${error}`)) throw error;
      spawnSync('sleep', ['1']);
    }
  }
}

function aptGet(...args: readonly string[]): void {
  runCommand('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    environment: { DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Undefined when there is no such program. */
export function pathOf(command: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
