import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * kafkajs 2.2.4 looks for requests that wait, on each connection, every millisecond for as long as it lives, and
 * plans the next look for a time that is always past: 2.4 % of a core for an idle producer, and a
 * TimeoutNegativeWarning from Node (tulios/kafkajs issues 1704 and 1751). From here on it looks while some wait.
 * None is forgotten: each that has to wait plans a look when it begins to.
 */
export function repairRequestQueue(): void {
  const require = createRequire(import.meta.url);
  const { prototype }: { prototype: RequestQueue } = require('kafkajs/src/network/requestQueue');
  const { scheduleCheckPendingRequests } = prototype;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) scheduleCheckPendingRequests.call(this);
  };
}
