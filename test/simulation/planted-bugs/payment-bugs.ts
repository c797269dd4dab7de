import { actor, decide, directory, evolve, type PlantedBug } from './planted-bug.ts';

const paymentDriver = 'src/actors/runtime/payment-driver.ts';
const decideBatch = 'src/ledger/decide-batch.ts';
const lane = 'src/ledger/lane.ts';
const memoryBook = 'src/ledger/memory/memory-book.ts';
const memoryImage = 'src/persistence/memory/memory-image.ts';

/** Money for seats: each step on disk before the next, once, and back if the seats are gone. */
export const paymentBugs: readonly PlantedBug[] = [
  {
    name: 'S1 begins before S0 is on disk',
    breaks: 'I5',
    edits: [
      {
        file: actor,
        find: 'this.#context.commits.append(this, decision, (result) =>\n      reply(',
        replace:
          "if (intent.kind === 'pay') reply(outcome);\n    this.#context.commits.append(this, decision, (result) =>\n      intent.kind === 'pay' ? undefined : reply(",
      },
    ],
  },
  {
    name: 'S2 does not wait for S1',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: 'return this.#untilAnswered((ledger, nowMs) => ledger.payByPoints(order, nowMs));',
        replace:
          "void this.#untilAnswered((ledger, nowMs) => ledger.payByPoints(order, nowMs)).catch(() => {});\n      return Promise.resolve({ paymentId: order.paymentId, status: 'APPROVED', createdAtMs: 0 });",
      },
    ],
  },
  {
    name: 'open payments are not taken on after a recovery',
    breaks: 'I13',
    edits: [
      {
        file: directory,
        find: 'resumePayment: (begun) => this.#payments.resume(begun),',
        replace: 'resumePayment: () => {},',
      },
    ],
  },
  {
    name: 'a payment that was never begun is not cancelled in the ledger',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: 'return this.#untilAnswered((ledger, nowMs) => ledger.cancelUnlessBegun(order, nowMs));',
        replace:
          "return Promise.resolve({ paymentId: order.paymentId, status: 'CANCELLED', createdAtMs: 0 });",
      },
    ],
  },
  {
    name: 'what was approved too late is kept',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: "if (outcome.kind === 'rejected' && result.reason === 'approved') {",
        replace: "if (outcome.kind === 'rejected' && result.reason === 'approved' && this.#delayMs < 0) {",
      },
    ],
  },
  {
    name: 'an unknown answer of the gateway is taken for a refusal',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: "        case 'unknown':\n          this.#mayBeCharged = true;",
        replace: "        case 'unknown':\n          return this.#close({ status: 'CANCELLED' });",
      },
    ],
  },
  {
    name: 'a call that was not sent counts, whatever was sent before it',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: 'if (!this.#mayBeCharged) {',
        replace: '{',
      },
    ],
  },
  {
    name: 'what one driver has not sent is cancelled, whatever another one does',
    breaks: 'I5',
    edits: [{ file: decideBatch, find: '  if (staysPending) return payment;\n', replace: '' }],
  },
  {
    name: 'a payment that came too late is cancelled without a word to the gateway',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: 'if (!isOld) return isAwaited ? gateway.charge(order) : gateway.void(order);',
        replace: "if (!isOld) return isAwaited ? gateway.charge(order) : { kind: 'voided' };",
      },
    ],
  },
  {
    name: 'the ledger is told of a refund that the gateway has not made',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: "if (answer.kind === 'refunded') {\n        const { reference } = answer;",
        replace: "{\n        const reference = 'none';",
      },
    ],
  },
  {
    name: 'a payment is over when somebody was told so',
    breaks: 'I5',
    edits: [
      {
        file: paymentDriver,
        find: "if (outcome.kind !== 'unavailable') return outcome;\n      await this.#pauseWhileOwned();",
        replace: 'return outcome;',
      },
    ],
  },
  {
    name: 'a reservation that has expired is paid',
    breaks: 'I5',
    edits: [
      { file: decide, find: 'if (!hasSeats) return refusalOf(reservation);', replace: '' },
      {
        file: evolve,
        find: "assert(reservation.status === 'PAYING', 'I5: what has ended is not paid');",
        replace:
          "if (reservation.status !== 'PAYING') { state.expiries.add(reservation); state.seatCounts.paying += reservation.seats.length; }",
      },
    ],
  },
  {
    name: 'a declined hold gets all of its time again',
    breaks: 'terms',
    edits: [
      {
        file: decide,
        find: 'Math.max(payment.open.holdLeftMs, holdFloorMs)',
        replace: 'Math.max(state.terms.holdTtlMs, holdFloorMs + 1)',
      },
    ],
  },
  {
    name: 'a payment has all the time in the world',
    breaks: 'terms',
    edits: [
      {
        file: decide,
        find: 'Math.max(command.nowMs + terms.paymentMaxMs, reservation.expiresAtMs)',
        replace: 'Math.max(command.nowMs + 100 * terms.paymentMaxMs, reservation.expiresAtMs)',
      },
    ],
  },
  {
    name: 'a hold loses time by being paid for',
    breaks: 'terms',
    edits: [
      {
        file: decide,
        find: 'Math.max(command.nowMs + terms.paymentMaxMs, reservation.expiresAtMs)',
        replace: 'command.nowMs + terms.paymentMaxMs',
      },
    ],
  },
  {
    name: 'the key of a payment under way is free for others',
    breaks: 'I8',
    edits: [{ file: evolve, find: "  remember(state, reservation, event, 'paying');\n", replace: '' }],
  },
  {
    name: 'a paid request is not remembered',
    breaks: 'I8',
    edits: [{ file: evolve, find: "  remember(state, reservation, event, 'paid');\n", replace: '' }],
  },
  {
    name: 'open payments are not in what a recovery starts from',
    breaks: 'I11',
    edits: [
      {
        file: memoryImage,
        find: 'openPayment === undefined ? [] : [{ number, ...openPayment }],',
        replace: 'openPayment === undefined || number > 0 ? [] : [{ number, ...openPayment }],',
      },
    ],
  },
  {
    name: 'a payment is debited again when it comes again',
    breaks: 'I4',
    edits: [
      {
        file: decideBatch,
        find: '  if (known !== undefined) return known;\n',
        replace: '',
      },
    ],
  },
  {
    name: 'of a batch whose worker died only the first operation is sent again',
    breaks: 'no-bug-caught',
    edits: [
      {
        file: lane,
        find: '      attempt = await this.#attempt(batch);',
        replace: '      attempt = await this.#attempt(batch.slice(0, 1));',
      },
    ],
  },
  {
    name: 'points are given back each time that it is asked for',
    breaks: 'I4',
    edits: [
      {
        file: decideBatch,
        find: "if (payment.status !== 'APPROVED') return payment;",
        replace: "if (payment.status !== 'APPROVED' && payment.status !== 'REFUNDED') return payment;",
      },
    ],
  },
  {
    name: 'the balance is not asked before a debit',
    breaks: 'I4',
    edits: [
      {
        file: decideBatch,
        find: 'if (batch.balanceOf(order.userId) < order.amountMinor) {',
        replace: 'if (order.amountMinor < 0) {',
      },
      {
        file: 'src/ledger/batch.ts',
        find: 'if (balanceAfter < 0 || balanceAfter > Number.MAX_SAFE_INTEGER) {',
        replace: 'if (balanceAfter > Number.MAX_SAFE_INTEGER) {',
      },
    ],
  },
  {
    name: 'S1 that comes after its payment was cancelled is carried out',
    breaks: 'I5',
    edits: [
      {
        file: decideBatch,
        find: '  const known = findPayment(batch, order);\n  if (known !== undefined) return known;',
        replace:
          "  const known = findPayment(batch, order);\n  if (known !== undefined && known.status !== 'CANCELLED') return known;",
      },
    ],
  },
  {
    name: 'a charge is made again when it comes again',
    breaks: 'I4',
    edits: [
      {
        file: decideBatch,
        find: 'if (known !== undefined && known.atMs + idempotencyWindowMs > atMs) {',
        replace: 'if (known !== undefined && known.atMs < 0) {',
      },
    ],
  },
  {
    name: 'the book writes a balance and forgets its entries',
    breaks: 'I4',
    edits: [
      {
        file: memoryBook,
        find: 'for (const entry of changes.entries) {',
        replace: 'for (const entry of changes.entries.slice(1)) {',
      },
    ],
  },
];
