import process from 'node:process';

/**
 * Loaded into a node before its own code (--import): ends it with SIGKILL when the test's process is gone. A
 * test that is given up runs no `finally`, and its runner is ended without notice.
 */
if (process.channel !== undefined) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // It keeps no process alive: one that stops ends by itself.
  process.channel?.unref();
}
