/** For metrics. Called on the path of a request: must be cheap and never throw. */
export interface BalanceCacheObserver {
  /** hit: from Redis. miss: from the ledger, Redis had none. bypass: from the ledger, Redis was not to be used. */
  onRequest(cache: 'balance', result: 'hit' | 'miss' | 'bypass'): void;
  /** refused: the balance has changed since it was read. filled: somebody else was first. */
  onFill(outcome: 'stored' | 'filled' | 'refused' | 'failed'): void;
  /** Users whose entries Redis was told to forget, the first time or again. */
  onInvalidations(users: number, attempt: 'first' | 'again'): void;
  /** Users whose entries Redis has not yet said it forgot; Infinity while it is all of them. */
  onPending(users: number): void;
  /** All entries are void: more invalidations could not be delivered than are kept. */
  onGenerationRaised(): void;
}
