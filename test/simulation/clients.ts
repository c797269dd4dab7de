import type {
  IdempotencyKey,
  ReservationNumber,
  ScheduleId,
  UserId,
} from '../../src/actors/allocator/ids.ts';
import type { AskedNode, Front } from './front.ts';
import { type Answer, type Call, type Request, seqShownBy } from './history.ts';
import type { ClientAction } from './operation.ts';
import { isRepeatable, toRequest, withOtherBody } from './requests.ts';
import { serverOwner } from './scheduler.ts';
import type { Surroundings } from './surroundings.ts';
import { describeAnswer, describeRequest } from './trace.ts';

/** Everybody who asks: sends what the script says, and writes down what they are told. */
export class Clients {
  readonly #surroundings: Surroundings;
  readonly #front: Front;
  /** What each operation sent, for retries. */
  readonly #requests = new Map<number, Request>();
  /** The reservation that each operation was given. */
  readonly #numbers = new Map<number, ReservationNumber>();

  constructor(surroundings: Surroundings, front: Front) {
    this.#surroundings = surroundings;
    this.#front = front;
  }

  /** @param choice of the node that is asked. */
  act(operationId: number, action: ClientAction, choice = 0): void {
    const { world } = this.#surroundings;
    if (action.kind === 'retry') {
      const first = this.#requests.get(action.request);
      if (first === undefined) return;
      this.#send(operationId, action.otherBody ? withOtherBody(world, first) : first, choice, 1);
      return;
    }
    if (action.kind === 'charge') return this.#charge(operationId, action, choice);
    const request = toRequest(world, action, (...hold) => this.#numberOf(...hold));
    this.#requests.set(operationId, request);
    this.#send(operationId, request, choice, 1);
  }

  /** Their node has died over these calls: what may be sent again is sent to another. */
  retry(lost: readonly Call[]): void {
    for (const call of lost) this.#sendElsewhere(call);
  }

  #send(operationId: number, request: Request, choice: number, tries: number): void {
    const node = this.#front.reach(choice);
    if (node === undefined) this.#surroundings.counters.add('asked while no node was up');
    else this.ask(operationId, request, node, tries, choice);
  }

  #sendElsewhere({ operationId, request, tries, choice }: Call): void {
    if (tries >= this.#front.triesMax || !isRepeatable(request)) return;
    this.#surroundings.counters.add('sent again elsewhere');
    this.#surroundings.scheduler.add({
      owner: serverOwner,
      label: `#${operationId} is sent elsewhere`,
      run: () => this.#send(operationId, request, choice + 1, tries + 1),
    });
  }

  ask(operationId: number, request: Request, node: AskedNode, tries = 1, choice = 0): Call {
    const { clock, database, history, counters, trace } = this.#surroundings;
    const call = history.open({
      operationId,
      node: node.owner,
      request,
      projectedRows: database.projectedRows(request.scheduleId),
      tries,
      choice,
      wallMinMs: clock.earliestWallMs,
    });
    const where = this.#front.triesMax > 1 ? ` at node ${node.owner}` : '';
    trace.add(`#${operationId} ${describeRequest(request)}${where}`);
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
  #charge(operationId: number, action: Extract<ClientAction, { kind: 'charge' }>, choice: number): void {
    const { bank, world } = this.#surroundings;
    const userId = world.users[action.user] as UserId;
    const node = this.#front.reach(choice);
    if (node === undefined) return;
    bank.noteAskedCharge(userId);
    for (let times = 0; times < action.times; times++) this.#sendCharge(operationId, userId, action, node);
  }

  #sendCharge(
    operationId: number,
    userId: UserId,
    { amount, key }: Extract<ClientAction, { kind: 'charge' }>,
    node: AskedNode,
  ): void {
    const { clock, bank, counters, trace } = this.#surroundings;
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

  #note(call: Call, node: AskedNode, content: Answer): void {
    const { clock, database, history, counters, trace } = this.#surroundings;
    const { operationId, request } = call;
    trace.add(`    #${operationId} is told: ${describeAnswer(content)}`);
    counters.add(`told: ${codeOf(content)}`);
    history.noteWall(clock.earliestWallMs);
    history.answer(call, {
      content,
      durableRows: database.model(request.scheduleId).length,
      latestWallMs: clock.latestWallMs,
      isOwner: this.#front.owns(node, request.scheduleId),
    });
    if (this.#front.isListenedTo(node)) {
      history.noteSeen(request.scheduleId, this.#seqShownBy(request, content));
    }
    if (content.kind === 'reservation') this.#numbers.set(operationId, content.view.number);
    if (content.kind === 'unavailable') this.#sendElsewhere(call);
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
