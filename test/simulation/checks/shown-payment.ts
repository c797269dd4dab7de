import type { ModelReservation } from '../model/journal-model.ts';

/** The payment that a reservation shows: the one under way, or the one that it was paid with. */
export const shownPaymentId = (
  scheduleId: number,
  { number, status, payment }: ModelReservation,
): string | undefined =>
  status === 'PAYING' || status === 'PAID' ? `${scheduleId}-${number}-${payment?.seq}` : undefined;
