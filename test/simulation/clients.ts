import type {
  IdempotencyKey,
  ReservationNumber,
  ScheduleId,
  UserId,
} from '../../src/actors/allocator/ids.ts';
import { type Answer, type Call, type Request, seqShownBy } from './history.ts';
import type { Nodes } from './nodes.ts';
import type { ClientAction } from './operation.ts';
import { toRequest, withOtherBody } from './requests.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Surroundings } from './surroundings.ts';
import { describeAnswer, describeRequest } from './trace.ts';

/** Everybody who asks: sends what the script says, and writes down what they are told. */
export class Clients {
  readonly #surroundings: Surroundings;
  readonly #nodes: Nodes;
  /** What each operation sent, for retries. */
  readonly #requests = new Map<number, Request>();
  /** The reservation that each operation was given. */
  readonly #numbers = new Map<number, ReservationNumber>();

  constructor(surroundings: Surroundings, nodes: Nodes) {
    this.#surroundings = surroundings;
    this.#nodes = nodes;
  }

  act(operationId: number, action: ClientAction): void {
    const { world } = this.#surroundings;
    if (action.kind === 'retry') {
      const first = this.#requests.get(action.request);
      if (first === undefined) return;
      this.ask(operationId, action.otherBody ? withOtherBody(world, first) : first);
      return;
    }
    if (action.kind === 'charge') return this.#charge(operationId, action);
    const request = toRequest(world, action, (...hold) => this.#numberOf(...hold));
    this.#requests.set(operationId, request);
    this.ask(operationId, request);
  }

  /** Undefined when no node could be reached. */
  ask(operationId: number, request: Request): Call | undefined {
    const { clock, database, history, counters, trace } = this.#surroundings;
    const node = this.#nodes.current;
    if (!node.isUp) {
      counters.add('asked while no node was up');
      return undefined;
    }
    const call = history.open({
      operationId,
      node: node.owner,
      request,
      projectedRows: database.projectedRows(request.scheduleId),
      wallMinMs: clock.wallMs,
      wallMaxMs: clock.wallMs,
    });
    trace.add(`#${operationId} ${describeRequest(request)}`);
    counters.add(`asked: ${request.kind === 'submit' ? request.intent.kind : request.kind}`);
    try {
      node.ask(request, (answer) => this.#note(call, node, answer));
    } catch (error) {
      this.#surroundings.violate('no-bug-caught', `the call threw: ${error}`);
    }
    return call;
  }

  /**
   * Sent several times under one key, at once or after one another: what was told must be there in the end, once,
   * and what was not may be.
   */
  #charge(operationId: number, action: Extract<ClientAction, { kind: 'charge' }>): void {
    const { bank, world } = this.#surroundings;
    const userId = world.users[action.user] as UserId;
    if (!this.#nodes.current.isUp) return;
    bank.noteAskedCharge(userId);
    for (let times = 0; times < action.times; times++) this.#sendCharge(operationId, userId, action);
  }

  #sendCharge(
    operationId: number,
    userId: UserId,
    { amount, key }: Extract<ClientAction, { kind: 'charge' }>,
  ): void {
    const { clock, bank, counters, trace } = this.#surroundings;
    const node = this.#nodes.current;
    trace.add(`#${operationId} ${userId} charges ${amount} as ${key}`);
    const mark = { key: key as IdempotencyKey, fingerprint: amount };
    node.ledger.charge({ userId, amount, mark, atMs: clock.wallMs }).then(
      (outcome) => {
        counters.add(`charge: ${outcome.kind}`);
        if (outcome.kind === 'charged') bank.toldCharges.set(outcome.entryId, { userId, amount });
      },
      (error: unknown) => counters.add(`charge: ${error instanceof Error ? error.name : error}`),
    );
  }

  #note(call: Call, node: SimulatedNode, content: Answer): void {
    const { clock, database, history, counters, trace } = this.#surroundings;
    const { operationId, request } = call;
    trace.add(`    #${operationId} is told: ${describeAnswer(content)}`);
    counters.add(`told: ${codeOf(content)}`);
    history.noteWall(clock.wallMs);
    history.answer(call, {
      content,
      durableRows: database.model(request.scheduleId).length,
      latestWallMs: clock.latestWallMs,
      isOwner: this.#nodes.owns(node, request.scheduleId),
    });
    // What a zombie still tells its own clients binds nobody who asks its successor.
    if (node === this.#nodes.current)
      history.noteSeen(request.scheduleId, this.#seqShownBy(request, content));
    if (content.kind === 'reservation') this.#numbers.set(operationId, content.view.number);
  }

  #seqShownBy(request: Request, content: Answer): number {
    if (content.kind !== 'cancelled' || request.kind !== 'submit' || request.intent.kind !== 'cancel') {
      return seqShownBy(content);
    }
    const { reservations } = this.#surroundings.database.model(request.scheduleId).latest;
    return reservations.get(request.intent.number)?.seq ?? 0;
  }

  /** What the hold was answered, or else the user's newest, or a guess. */
  #numberOf(holdOperation: number, scheduleId: ScheduleId, userId: UserId): ReservationNumber {
    const { reservations, lastNumber } = this.#surroundings.database.model(scheduleId).latest;
    const newest = [...reservations.values()].findLast((reservation) => reservation.userId === userId);
    const guess = Math.max(1, newest?.number ?? lastNumber) as ReservationNumber;
    return this.#numbers.get(holdOperation) ?? guess;
  }
}

function codeOf(content: Answer): string {
  switch (content.kind) {
    case 'rejected':
      return content.rejection.code;
    case 'unavailable':
      return content.code;
    case 'reservation':
      return content.replayed ? 'replayed' : 'reservation';
    default:
      return content.kind;
  }
}
