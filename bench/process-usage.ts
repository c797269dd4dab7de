import { readFileSync } from 'node:fs';

/** Of /proc/<pid>/stat's times; the same on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** User and system time of the process, all of its threads included, in seconds (proc_pid_stat(5)). */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Of the whole process, its threads included (proc_pid_status(5), VmRSS). */
export function residentMegabytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round((Number(kibibytes) * 1_024) / 1_000_000);
}
