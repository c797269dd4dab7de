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
const markKinds = ['held', 'extended'];

export function foldJournal(rows: readonly JournalRow[]): FoldedSchedule {
  const empty = { seq: 0, atMs: 0, lastReservationNumber: 0, blocked: [], reservations: [], marks: [] };
  return foldRows(empty, rows);
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
  for (const { seq, atMs, type, payload } of rows) {
    const fields = JSON.parse(payload);
    const reservation = folded.reservations.find(({ number }) => number === fields.number);
    folded.seq = seq;
    folded.atMs = atMs;
    if (type === 'held') {
      const { number, userId, seats, totalMinor, expiresAtMs } = fields;
      folded.reservations.push({
        number,
        userId,
        status: 'HELD',
        seats,
        totalMinor,
        heldAtMs: atMs,
        expiresAtMs,
        endedAtMs: 0,
        seq,
      });
      folded.lastReservationNumber = number;
    } else if (type === 'blocked') {
      folded.blocked = [...folded.blocked, ...fields.seats].sort((a, b) => a - b);
    } else if (type === 'unblocked') {
      folded.blocked = folded.blocked.filter((seat) => !fields.seats.includes(seat));
    } else if (type === 'extended') {
      reservation!.expiresAtMs = fields.expiresAtMs;
      reservation!.seq = seq;
    } else {
      reservation!.status = type.toUpperCase();
      reservation!.endedAtMs = atMs;
      reservation!.seq = seq;
    }
    if (fields.idempotency !== undefined) {
      const userId = fields.userId ?? reservation!.userId;
      const { number, expiresAtMs, idempotency } = fields;
      folded.marks.push({ seq, atMs, userId, ...idempotency, number, kind: type, expiresAtMs });
    }
  }
  return folded;
}
