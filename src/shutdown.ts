import type { Logger } from 'pino';

/**
 * Signals. The first SIGTERM or SIGINT stops gracefully; a second one, or a stop that takes too long, ends
 * the process at once. Nothing is lost either way: what was answered is on disk.
 *
 * @param stop resolves when everything that was accepted is answered and the store is closed.
 */
export function stopOnSignals(stop: () => Promise<void>, log: Logger, forceAfterMs: number): void {
  let isStopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (isStopping) {
      log.warn({ signal }, 'second signal: stopping at once');
      process.exit(1);
    }
    isStopping = true;
    log.info({ signal }, 'stopping: no new requests, finishing what was accepted');
    setTimeout(() => {
      log.error({ forceAfterMs }, 'stopping took too long: ending at once');
      process.exit(1);
    }, forceAfterMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** A bug that nobody caught: memory can't be trusted, the store can. End, and let the supervisor start anew. */
export function crashOnBugs(log: Logger): void {
  const crash = (error: unknown) => {
    log.fatal({ err: error }, 'unexpected error: ending');
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
