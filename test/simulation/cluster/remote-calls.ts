import type { Owner, Scheduler } from '../scheduler.ts';

/**
 * How the calls of one node to a server that it shares with others go: a call takes effect in one turn and is
 * answered in another; where the server can't be reached it does neither, and fails after a while.
 */
export class RemoteCalls {
  readonly #options: RemoteCallsOptions;

  constructor(options: RemoteCallsOptions) {
    this.#options = options;
  }

  /** @param takesEffect at once, when it is called. */
  call<T>(name: string, takesEffect: () => Promise<T>): Promise<T> {
    const { scheduler, owner, limitMs, isReachable, isUnheard, failure } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const later = (label: string, run: () => void) =>
        scheduler.add({ owner, label: `${name}: ${label}`, run });
      const failLater = (why: string) => {
        const run = () => reject(failure(`${name}: ${why}`));
        scheduler.addTimer({ owner, label: `${name} fails: ${why}`, run }, limitMs);
      };
      later('arrives', () => {
        if (!isReachable()) return failLater('it can’t be reached');
        const unheard = isUnheard();
        takesEffect().then(
          (answer) => {
            if (unheard) return failLater('its answer is lost');
            this.#travelBack(() => {
              if (isReachable()) later('is answered', () => resolve(answer));
              else failLater('its answer can’t come back');
            });
          },
          (error: unknown) => later(`fails: ${error}`, () => reject(error)),
        );
      });
    });
  }

  #travelBack(arrive: () => void): void {
    const { scheduler, owner, limitMs, delayMs } = this.#options;
    const travelMs = Math.min(delayMs(), limitMs);
    if (travelMs === 0) return arrive();
    scheduler.addTimer({ owner, label: 'a late answer', run: arrive }, travelMs);
  }
}

export interface RemoteCallsOptions {
  readonly scheduler: Scheduler;
  readonly owner: Owner;
  /** Of a call: the adapter gives it up after so long. */
  readonly limitMs: number;
  isReachable(): boolean;
  /** Whether the answer to a call that takes effect now gets lost. */
  isUnheard(): boolean;
  /** How long that answer takes. */
  delayMs(): number;
  failure(message: string): Error;
}
