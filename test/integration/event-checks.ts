import { expect, vi } from 'vitest';
import { contractFaults, reservationTopic, seatReservedTopic } from './event-contract.ts';
import type { Sale } from './sale.ts';
import { firstDeliveries, type ReadMessage, type TopicReader } from './topic-reader.ts';

/**
 * What a reader of the topics has of a schedule (I7): every event up to `lastSeq` and no other, first deliveries
 * in order, repeats with the same words, each hold in both topics, and all of it as API.md says and as the buyers
 * were told.
 * @returns first deliveries of reservation-topic.
 */
export async function expectEvents(
  reader: TopicReader,
  sale: Sale,
  scheduleId: number,
  lastSeq: number,
): Promise<readonly ReadMessage[]> {
  const read = (topic: string) => reader.of(topic).filter(({ key }) => key === `${scheduleId}`);
  await vi.waitUntil(() => firstDeliveries(read(reservationTopic)).length >= lastSeq, {
    timeout: 30_000,
    interval: 200,
  });
  const events = firstDeliveries(read(reservationTopic));
  expect(seqsOf(events), 'no gap, no disorder').toEqual(Array.from({ length: lastSeq }, (_, i) => i + 1));
  const held = events.filter(({ headers }) => headers['ce_type'] === 'usher.reservation.held');
  await expect
    .poll(() => seqsOf(firstDeliveries(read(seatReservedTopic))), { timeout: 10_000 })
    .toEqual(seqsOf(held));

  for (const topic of [reservationTopic, seatReservedTopic]) {
    const messages = read(topic);
    expect(messages.flatMap(contractFaults)).toEqual([]);
    expect(new Set(messages.map(({ partition }) => partition)).size).toBe(1);
    const firsts = new Map(firstDeliveries(messages).map((message) => [message.headers['ce_id'], message]));
    for (const message of messages) expect(message).toEqual(firsts.get(message.headers['ce_id']));
  }
  const heldBySeq = new Map(held.map(({ data }) => [data['seq'], data]));
  for (const { seq, text, buyer, seatIds } of sale.bookings.filter(isOf(scheduleId))) {
    const { reservationId, totalMinor, currency, heldAt, expiresAt } = JSON.parse(text);
    expect(heldBySeq.get(seq)).toMatchObject({
      reservationId,
      userId: buyer.userId,
      seatIds,
      totalMinor,
      currency,
      heldAt,
      expiresAt,
    });
  }
  return events;
}

const isOf = (scheduleId: number) => (booking: { readonly scheduleId: number }) =>
  booking.scheduleId === scheduleId;

const seqsOf = (messages: readonly ReadMessage[]): readonly unknown[] =>
  messages.map(({ data }) => data['seq']);
