import type { ScheduleEvent } from '../allocator/event.ts';
import type { JournalRow } from './ports.ts';

/**
 * Events to journal payloads and back. The payload is JSON with the event's own field names, so that a
 * person can read the journal with the database's shell.
 */
export function encodeEvent(event: ScheduleEvent): string {
  const { seq: _seq, atMs: _atMs, type: _type, ...fields } = event;
  return JSON.stringify(fields);
}

/** Trusts the payload: it was written by encodeEvent and read back from the store's own table. */
export function decodeEvent(row: Pick<JournalRow, 'seq' | 'atMs' | 'type' | 'payload'>): ScheduleEvent {
  return { type: row.type, seq: row.seq, atMs: row.atMs, ...JSON.parse(row.payload) };
}
