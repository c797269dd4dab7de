import { createHash } from 'node:crypto';
import type { Answer, Request } from './history.ts';
import type { Sale } from './world.ts';

/** What happened, a line a thing, for people and for comparing two runs. */
export class Trace {
  readonly lines: string[] = [];

  add(line: string): void {
    this.lines.push(line);
  }

  get hash(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex');
  }
}

export function describeRequest(request: Request): string {
  const at = `schedule ${request.scheduleId}`;
  switch (request.kind) {
    case 'submit': {
      const { kind, ...fields } = request.intent;
      return `${at}: ${kind} ${JSON.stringify(fields)}`;
    }
    case 'pay':
      return `${at}: pay ${JSON.stringify(request.payment)}`;
    case 'read':
      return `${at}: read reservation ${request.ref.number} for ${request.userId}`;
    case 'availability':
    case 'count':
    case 'audit':
      return `${at}: ${request.kind}`;
  }
}

export function describeAnswer(answer: Answer): string {
  switch (answer.kind) {
    case 'reservation': {
      const { number, status, seats, seq, asOfMs, expiresAtMs } = answer.view;
      const replayed = answer.replayed ? ', replayed' : '';
      return `reservation ${number} ${status} seats ${seats.join(' ')} seq ${seq} as of ${asOfMs} until ${expiresAtMs}${replayed}`;
    }
    case 'rejected':
      return `refused ${JSON.stringify(answer.rejection)}`;
    case 'unavailable':
      return `unavailable: ${answer.code}`;
    case 'cancelled':
    case 'payment-begun':
    case 'payment-joined':
      return answer.kind;
    case 'blocks-changed':
      return `blocks of ${answer.seatIds.join(' ') || 'nothing'} changed, seq ${answer.seq}`;
    case 'availability': {
      const free = answer.isFree.flatMap((isFree, ordinal) => (isFree ? [ordinal] : []));
      return `${answer.available} free at seq ${answer.seq}: ${free.join(' ')}`;
    }
    case 'counts':
      return `counts ${JSON.stringify(answer.counts)}`;
    case 'audit': {
      const failed = answer.checks.filter(({ ok }) => !ok);
      return failed.length === 0
        ? 'audit passed'
        : `audit failed: ${failed.map((check) => `${check.invariant}: ${check.detail}`).join('; ')}`;
    }
  }
}

/** The hall of a sale in a few lines: a letter a seat, its category's first; an aisle is a gap. */
export function describeSale(sale: Sale): string {
  const terms = [
    sale.seatsPerUserMax === Number.POSITIVE_INFINITY ? '' : `, at most ${sale.seatsPerUserMax} a user`,
    sale.orphanRule ? ', orphan rule' : '',
  ];
  let ordinal = 0;
  const rows = sale.hall.layout.sections.flatMap((section) =>
    section.rows.map((row) => {
      const first = ordinal;
      ordinal += row.seats.length;
      const seats = row.seats.map((seat) => `${seat.category.charAt(0)}${seat.gapAfter === true ? ' ' : ''}`);
      return `    ${section.name} row ${row.name}, from seat ${first}: ${seats.join('')}`;
    }),
  );
  return [`  schedule ${sale.scheduleId}${terms.join('')}:`, ...rows].join('\n');
}
