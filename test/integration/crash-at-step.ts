import { subscribe } from 'node:diagnostics_channel';

/**
 * Loaded into a node before its own code (--import): ends the process with SIGKILL in the very turn in which a
 * payment passes the boundary that CRASH_AT_STEP names, for the CRASH_AT_COUNTth time.
 */
const wanted = process.env['CRASH_AT_STEP'];
let left = Number(process.env['CRASH_AT_COUNT'] ?? 1);

subscribe('usher:payment-step', (message) => {
  if ((message as { readonly step: string }).step !== wanted) return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
});
