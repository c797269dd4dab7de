import { existsSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Whether SIGSTOP has come to all threads of a process: the call that sends it returns before, and a thread
 * that still runs may answer somebody. True where the system doesn't show threads as Linux does.
 */
export function areAllStopped(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  if (!existsSync(threads)) return true;
  return readdirSync(threads).every((thread) => isStopped(`${threads}/${thread}/stat`));
}

/** The state follows the name, which is in parentheses and may contain anything. */
function isStopped(path: string): boolean {
  try {
    return /.*\) [Tt]/s.test(readFileSync(path, 'utf8'));
  } catch {
    // It has ended since it was listed.
    return true;
  }
}
