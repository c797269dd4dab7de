import type { ScheduleId } from '../../src/actors/allocator/ids.ts';
import type { Ledger } from '../../src/actors/runtime/ledger.ts';
import type { Answer, Request } from './history.ts';
import type { Owner } from './scheduler.ts';

/** What clients see of the nodes: a load balancer that knows which of them live. */
export interface Front {
  /** How often, in all, a client sends what it may send again, each time to another node. */
  readonly triesMax: number;

  /** The node that a call goes to; another `choice`, maybe another node. Undefined: none can be reached. */
  reach(choice: number): AskedNode | undefined;

  /** By the database's word, not by the node's; who has not heard it yet, or serves it no more, does not count. */
  owns(node: AskedNode, scheduleId: ScheduleId): boolean;

  /** Whether what the node tells counts as seen by everybody who asks later. */
  isListenedTo(node: AskedNode): boolean;
}

export interface AskedNode {
  readonly owner: Owner;
  readonly ledger: Ledger;
  ask(request: Request, answer: (answer: Answer) => void): void;
}
