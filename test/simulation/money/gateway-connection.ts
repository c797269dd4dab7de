import type {
  CardAnswer,
  CardGateway,
  FindAnswer,
  RefundAnswer,
  VoidAnswer,
} from '../../../src/actors/runtime/card-gateway.ts';
import type { CardOrder, PaymentOrder } from '../../../src/actors/runtime/ledger.ts';
import type { Counters } from '../counters.ts';
import { type Owner, type Scheduler, serverOwner } from '../scheduler.ts';
import type { FaultPlan } from '../store/fault-plan.ts';
import type { CardCompany } from './card-company.ts';

type Unknown = { readonly kind: 'unknown'; readonly reason: string };

/**
 * One node's way to the gateway. What has left the node arrives, whatever becomes of the node; a call may also
 * be lost before it arrives, or its answer after, or arrive long after it was given up.
 */
export class GatewayConnection implements CardGateway {
  readonly #company: CardCompany;
  readonly #scheduler: Scheduler;
  readonly #faults: FaultPlan;
  readonly #counters: Counters;
  readonly #owner: Owner;

  constructor(options: GatewayConnectionOptions) {
    this.#company = options.company;
    this.#scheduler = options.scheduler;
    this.#faults = options.faults;
    this.#counters = options.counters;
    this.#owner = options.owner;
  }

  get standing(): 'ready' | 'unavailable' {
    if (!this.#faults.takeGatewayRest()) return 'ready';
    this.#counters.add('gateway at rest');
    return 'unavailable';
  }

  charge(order: CardOrder): Promise<CardAnswer> {
    return this.#call<CardAnswer>(`charge ${order.paymentId}`, () => this.#company.charge(order), {
      kind: 'not-sent',
      reason: 'the breaker is open; no answer was lost',
    });
  }

  void(order: CardOrder): Promise<VoidAnswer> {
    return this.#call<VoidAnswer>(`void ${order.paymentId}`, () => this.#company.void(order), lost);
  }

  find(order: CardOrder): Promise<FindAnswer> {
    return this.#call<FindAnswer>(`find ${order.paymentId}`, () => this.#company.find(order), lost);
  }

  refund(order: PaymentOrder, reference: string): Promise<RefundAnswer> {
    return this.#call<RefundAnswer>(
      `refund ${order.paymentId}`,
      () => this.#company.refund(order, reference),
      lost,
    );
  }

  /** @param refused the answer when it is not sent at all. */
  #call<Answer extends { readonly kind: string }>(
    label: string,
    arrive: () => Answer,
    refused: Answer | Unknown,
  ): Promise<Answer | Unknown> {
    return new Promise((resolve) => {
      const answer = (told: Answer | Unknown) => {
        this.#counters.add(`gateway says ${told.kind}`);
        this.#scheduler.add({
          owner: this.#owner,
          label: `${label}: ${JSON.stringify(told)}`,
          run: () => resolve(told),
        });
      };
      const fault = this.#faults.takeGatewayFault();
      if (fault !== undefined) this.#counters.add(`gateway call ${fault.fate}`);
      switch (fault?.fate) {
        case 'not-sent':
          return answer(refused);
        case 'lost':
          return answer(lost);
        case 'late':
          this.#travel(label, arrive, fault.delayTurns);
          return answer(lost);
        case 'unanswered':
          this.#travel(label, arrive, 0);
          return this.#travel(`${label}, the answer to which is lost,`, () => answer(lost), 0);
        case undefined:
          return this.#travel(label, () => answer(arrive()), 0);
      }
    });
  }

  #travel(label: string, arrive: () => unknown, delayTurns: number): void {
    this.#scheduler.add(
      { owner: serverOwner, label: `${label} arrives`, run: () => void arrive() },
      delayTurns,
    );
  }
}

const lost: Unknown = { kind: 'unknown', reason: 'the answer was lost' };

interface GatewayConnectionOptions {
  readonly company: CardCompany;
  readonly scheduler: Scheduler;
  readonly faults: FaultPlan;
  readonly counters: Counters;
  readonly owner: Owner;
}
