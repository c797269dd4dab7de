import { Buyer, type Told } from './buyer.ts';
import type { Sale } from './sale.ts';
import { createSchedule } from './small-hall.ts';
import type { UsherProcess } from './usher-process.ts';

/**
 * They write to a node that may be frozen. Each has a reservation of its own, in a schedule where nothing else
 * happens: no event of anybody's stands where the node would write theirs, and nothing but the fence keeps it out.
 */
export class Strangers {
  readonly scheduleId: number;
  readonly #buyers: readonly { readonly buyer: Buyer; readonly reservationId: string }[];
  #times = 0;

  private constructor(
    scheduleId: number,
    buyers: readonly { readonly buyer: Buyer; readonly reservationId: string }[],
  ) {
    this.scheduleId = scheduleId;
    this.#buyers = buyers;
  }

  static async of(usher: UsherProcess, { performanceId }: Sale, name: string): Promise<Strangers> {
    const scheduleId = await createSchedule(usher, { performanceId });
    const buyers = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const buyer = await Buyer.of(usher, `${name}-${index}`);
        await buyer.charge(usher, 10_000, 'first');
        return { buyer, reservationId: await buyer.hold(usher, scheduleId, `R1-${index + 1}`) };
      }),
    );
    return new Strangers(scheduleId, buyers);
  }

  /** Each in its own way. */
  async write(usher: UsherProcess): Promise<Told[]> {
    this.#times += 1;
    const { scheduleId } = this;
    return await Promise.all(
      this.#buyers.flatMap(({ buyer, reservationId }, index) => {
        const key = (what: string) => `${what}-${this.#times}`;
        const seatIds = [`R2-${index + 1}`];
        return [
          buyer.call(usher, 'POST', '/reservations', { scheduleId, seatIds }, key('hold')),
          buyer.call(usher, 'POST', `/reservations/${reservationId}/extend`, {}, key('extend')),
          buyer.pay(usher, reservationId, undefined, key('pay')),
          buyer.call(usher, 'DELETE', `/reservations/${reservationId}`),
        ];
      }),
    );
  }
}
