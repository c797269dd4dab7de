import type { ScheduleId } from '../actors/allocator/ids.ts';
import type { SeatChange } from '../actors/allocator/seat-change.ts';
import type { AvailabilityView } from '../actors/runtime/availability-view.ts';
import type { ShardHost } from '../actors/runtime/shard-host.ts';

/** The stream of a schedule's free seats: one snapshot, then every change of it in seq order. */
export type SeatMessage =
  /** `bits`: base64 of the bitmap as AvailabilityView.toBitmap has it. */
  | { readonly kind: 'snapshot'; readonly seq: number; readonly bits: string }
  | ({ readonly kind: 'change' } & SeatChange)
  /** The sender no longer knows. */
  | { readonly kind: 'over' };

export interface SeatStreamRequest {
  readonly scheduleId: ScheduleId;
}

/** The owner's side. @returns ends it. */
export function streamSeats(
  host: Pick<ShardHost, 'watchSeats'>,
  scheduleId: ScheduleId,
  send: (message: SeatMessage) => void,
): () => void {
  return host.watchSeats(scheduleId, {
    onStart: (view) => send(snapshotOf(view)),
    onChange: (change) => send({ kind: 'change', ...change }),
    onEnd: () => send({ kind: 'over' }),
  });
}

const snapshotOf = (view: AvailabilityView): SeatMessage => ({
  kind: 'snapshot',
  seq: view.seq,
  bits: Buffer.from(view.toBitmap()).toString('base64'),
});
