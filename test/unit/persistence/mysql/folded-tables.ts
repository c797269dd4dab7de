import { expect } from 'vitest';
import type { ReservationNumber } from '../../../../src/actors/allocator/ids.ts';
import type {
  FoldedMark,
  FoldedPayment,
  FoldedReservation,
  ProjectionState,
  ScheduleFold,
} from '../../../../src/persistence/mysql/schedule-fold.ts';
import { blockedHolder } from '../../../../src/persistence/projection-change.ts';

/** The tables of one schedule, with the keys that they have in MySQL; written as ProjectionWriter writes them. */
export class FoldedTables {
  state: ProjectionState = {
    projectedSeq: 0,
    lastAtMs: 0,
    lastReservationNumber: 0,
    takenSeats: 0,
    openReservations: 0,
  };
  readonly reservations = new Map<ReservationNumber, FoldedReservation>();
  /** Who holds a seat: the UNIQUE key. */
  readonly holders = new Map<number, number>();
  readonly marks = new Map<number, FoldedMark>();
  readonly payments = new Map<ReservationNumber, FoldedPayment>();

  stored(numbers: Iterable<ReservationNumber>): FoldedReservation[] {
    return [...numbers].flatMap((number) => {
      const reservation = this.reservations.get(number);
      return reservation === undefined ? [] : [{ ...reservation }];
    });
  }

  write(fold: ScheduleFold): void {
    const changes = fold.changes();
    for (const { number, seats } of changes.freed) for (const seat of seats) this.#free(seat, number);
    for (const seat of changes.unblockedSeats) this.#free(seat, blockedHolder);
    for (const number of changes.closedPayments) expect(this.payments.delete(number)).toBe(true);
    for (const seq of changes.forgottenMarks) this.marks.delete(seq);
    for (const reservation of changes.created) {
      insert(this.reservations, reservation.number, { ...reservation });
      if (reservation.endedAtMs > 0) continue;
      for (const seat of reservation.seats) insert(this.holders, seat, reservation.number);
    }
    for (const seat of changes.blockedSeats) insert(this.holders, seat, blockedHolder);
    for (const mark of changes.marks) insert(this.marks, mark.seq, mark);
    for (const payment of changes.payments) insert(this.payments, payment.number, payment);
    for (const reservation of changes.changed) {
      expect(this.reservations.has(reservation.number)).toBe(true);
      this.reservations.set(reservation.number, { ...reservation });
    }
    this.state = { ...fold.state };
  }

  #free(seat: number, holder: number): void {
    expect(this.holders.get(seat)).toBe(holder);
    this.holders.delete(seat);
  }
}

/** As a primary key does. */
function insert<Key, Row>(table: Map<Key, Row>, key: Key, row: Row): void {
  expect(table.has(key)).toBe(false);
  table.set(key, row);
}
