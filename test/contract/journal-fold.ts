import type { JournalRow, ProjectionImage, StoredSchedule } from '../../src/actors/runtime/ports.ts';

/**
 * What a schedule's journal means, folded the plainest way and by nothing of src but the row's shape: the
 * measure for every store's image and tail.
 */
export interface FoldedSchedule {
  seq: number;
  atMs: number;
  lastReservationNumber: number;
  blocked: number[];
  reservations: FoldedReservation[];
  /** By number. */
  openPayments: FoldedPayment[];
  marks: FoldedMark[];
}

interface FoldedReservation {
  number: number;
  userId: string;
  status: string;
  seats: number[];
  totalMinor: number;
  heldAtMs: number;
  expiresAtMs: number;
  endedAtMs: number;
  seq: number;
  /** seq of the payment that is under way or was made; 0 = none. */
  paymentSeq: number;
  paidAtMs: number;
}

interface FoldedPayment {
  number: number;
  method: string;
  holdLeftMs: number;
  idempotency: { key: string; fingerprint: number } | undefined;
}

interface FoldedMark {
  seq: number;
  atMs: number;
  userId: string;
  key: string;
  fingerprint: number;
  number: number;
  kind: string;
  expiresAtMs: number;
}

const statuses = ['HELD', 'PAYING', 'PAID', 'EXPIRED', 'CANCELLED'];
const markKinds = ['held', 'extended', 'paid', 'paying'];

export function foldJournal(rows: readonly JournalRow[]): FoldedSchedule {
  const empty = { seq: 0, atMs: 0, lastReservationNumber: 0 };
  return foldRows({ ...empty, blocked: [], reservations: [], openPayments: [], marks: [] }, rows);
}

/** What recovery would make of it: the image, then the tail. */
export function foldStored({ image, tail }: StoredSchedule): FoldedSchedule {
  return foldRows(foldedImage(image), tail);
}

export function foldedImage(image: ProjectionImage): FoldedSchedule {
  const { reservations: r, marks: m } = image;
  let seatsRead = 0;
  const folded: FoldedSchedule = {
    seq: image.projectedSeq,
    atMs: image.lastAtMs,
    lastReservationNumber: image.lastReservationNumber,
    blocked: [...image.blockedSeats],
    reservations: [],
    openPayments: image.openPayments.map((payment) => ({ ...payment })),
    marks: [],
  };
  for (let i = 0; i < r.count; i++) {
    const seats = r.seats.slice(seatsRead, seatsRead + r.seatCount[i]!);
    seatsRead += seats.length;
    folded.reservations.push({
      number: r.number[i]!,
      userId: r.userId[i]!,
      status: statuses[r.status[i]!]!,
      seats: [...seats],
      totalMinor: r.totalMinor[i]!,
      heldAtMs: r.heldAtMs[i]!,
      expiresAtMs: r.expiresAtMs[i]!,
      endedAtMs: r.endedAtMs[i]!,
      seq: r.seq[i]!,
      paymentSeq: r.paymentSeq[i]!,
      paidAtMs: r.paidAtMs[i]!,
    });
  }
  for (let i = 0; i < m.count; i++) {
    folded.marks.push({
      seq: m.seq[i]!,
      atMs: m.atMs[i]!,
      userId: m.userId[i]!,
      key: m.key[i]!,
      fingerprint: m.fingerprint[i]!,
      number: m.number[i]!,
      kind: markKinds[m.kind[i]!]!,
      expiresAtMs: m.expiresAtMs[i]!,
    });
  }
  return folded;
}

function foldRows(folded: FoldedSchedule, rows: readonly JournalRow[]): FoldedSchedule {
  for (const row of rows) {
    foldRow(folded, row);
    folded.seq = row.seq;
    folded.atMs = row.atMs;
  }
  folded.openPayments.sort((a, b) => a.number - b.number);
  return folded;
}

function foldRow(folded: FoldedSchedule, { seq, atMs, type, payload }: JournalRow): void {
  const fields = JSON.parse(payload);
  const { number, expiresAtMs, idempotency } = fields;
  const found = folded.reservations.find((each) => each.number === number);
  switch (type) {
    case 'held':
      folded.reservations.push(heldOf(fields, seq, atMs));
      folded.lastReservationNumber = number;
      break;
    case 'blocked':
      folded.blocked = [...folded.blocked, ...fields.seats].sort((a, b) => a - b);
      break;
    case 'unblocked':
      folded.blocked = folded.blocked.filter((seat) => !fields.seats.includes(seat));
      break;
    case 'extended':
      Object.assign(found!, { expiresAtMs, seq });
      break;
    case 'paying': {
      const { method, holdLeftMs } = fields;
      Object.assign(found!, { status: 'PAYING', expiresAtMs, seq, paymentSeq: seq });
      folded.openPayments.push({ number, method, holdLeftMs, idempotency });
      break;
    }
    case 'paid':
      closePayment(folded, found!);
      Object.assign(found!, { status: 'PAID', paidAtMs: atMs, seq });
      break;
    case 'payment-failed':
      closePayment(folded, found!);
      Object.assign(found!, { paymentSeq: 0, seq });
      if (expiresAtMs !== undefined) Object.assign(found!, { status: 'HELD', expiresAtMs });
      break;
    default:
      forgetPaymentMark(folded, found!);
      Object.assign(found!, { status: type.toUpperCase(), endedAtMs: atMs, seq });
  }
  if (idempotency !== undefined) {
    const userId = fields.userId ?? found!.userId;
    const mark = { seq, atMs, userId, ...idempotency, number, kind: type };
    folded.marks.push({ ...mark, expiresAtMs: expiresAtMs ?? 0 });
  }
}

function heldOf(fields: FoldedReservation, seq: number, atMs: number): FoldedReservation {
  const { number, userId, seats, totalMinor, expiresAtMs } = fields;
  const held = { number, userId, status: 'HELD', seats, totalMinor, heldAtMs: atMs, expiresAtMs };
  return { ...held, endedAtMs: 0, seq, paymentSeq: 0, paidAtMs: 0 };
}

function closePayment(folded: FoldedSchedule, reservation: FoldedReservation): void {
  folded.openPayments = folded.openPayments.filter(({ number }) => number !== reservation.number);
  forgetPaymentMark(folded, reservation);
}

/** The mark that kept a payment's key while it was under way is the one of its `paying` event. */
function forgetPaymentMark(folded: FoldedSchedule, { paymentSeq }: FoldedReservation): void {
  folded.marks = folded.marks.filter(({ seq }) => seq !== paymentSeq);
}
