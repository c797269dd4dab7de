import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CutPoint } from '../../scripts/servers/mysql-cutting-proxy.ts';
import type { IdempotencyMark } from '../../src/actors/allocator/event.ts';
import type { IdempotencyKey } from '../../src/actors/allocator/ids.ts';
import { MySqlStage, outcomeOf } from './mysql-store-stage.ts';

/** Entries of the catalogue are made once, whatever becomes of the answer of a COMMIT. */
describe.concurrent('creations in MySQL', () => {
  const seat = { seatId: 'A-1', number: '1', position: 1, category: 'c' };
  const hall = (name: string) => ({
    name,
    sections: [{ name: 's', category: 'c', rows: [{ name: 'A', seats: [seat] }] }],
  });
  const markOf = (key: string): IdempotencyMark => ({ key: key as IdempotencyKey, fingerprint: 1 });

  it.each<CutPoint>(['before-commit', 'before-answer'])(
    'whose COMMIT was cut %s are there once, with their key and the next id',
    async (point) => {
      await using stage = await MySqlStage.open();
      const { store } = await stage.run();
      const cut = () => stage.proxy.cutAtNextCommit(point);
      cut();
      const venueId = await store.createVenue(hall('one') as never, markOf('venue'));
      cut();
      const show = { name: 'show', venueId, currency: 'EUR', prices: {}, orphanRule: false };
      const performanceId = await store.createPerformance(show as never);
      cut();
      const scheduleId = await store.createSchedule(
        { performanceId, startsAtMs: 1 } as never,
        markOf('schedule'),
      );
      expect([venueId, performanceId, scheduleId]).toEqual([1, 1, 1]);
      expect(stage.proxy.cuts).toBe(3);
      expect(await store.createVenue(hall('two') as never)).toBe(2);
      expect(await stage.rows('SELECT venue_id, name FROM venue')).toEqual([
        [1, 'one'],
        [2, 'two'],
      ]);
      expect(await stage.rows('SELECT venue_id FROM seat')).toEqual([[1], [2]]);
      expect(
        await stage.rows('SELECT COUNT(*) FROM performance UNION ALL SELECT COUNT(*) FROM schedule'),
      ).toEqual([[1], [1]]);
      expect(await store.listCreationMarks()).toEqual([
        { key: 'schedule', fingerprint: 1, id: 1 },
        { key: 'venue', fingerprint: 1, id: 1 },
      ]);
    },
  );

  it('under a key that another node has used come to nothing, and either node finds what it made', async () => {
    await using stage = await MySqlStage.open();
    const [a, b] = [(await stage.otherRun()).store, (await stage.otherRun()).store];
    const mark = markOf('k');
    const both = await Promise.all(
      [a, b].map((store, i) => outcomeOf(store.createVenue(hall(`by ${i}`) as never, mark))),
    );
    expect(both.map(({ said }) => said).toSorted()).toEqual([1, 'StoreUnavailable']);
    for (const store of [a, b]) expect(await store.findCreationMark(mark.key)).toEqual({ ...mark, id: 1 });
    expect((await b.listVenues(0)).length).toBe(1);
  });

  it('of several nodes at once are listed in the order of their ids, without a gap that fills later', async () => {
    await using stage = await MySqlStage.open();
    const runs = [await stage.otherRun(), await stage.otherRun(), await stage.otherRun()];
    const reader = (await stage.otherRun()).store;
    let isOver = false;
    const creating = Promise.all(
      runs.map(async ({ store }) => {
        for (let i = 0; i < 12; i++) await store.createVenue(hall('hall') as never);
      }),
    ).finally(() => {
      isOver = true;
    });
    const seen: number[] = [];
    while (!isOver || seen.length < 36) {
      seen.push(...(await reader.listVenues(seen.at(-1) ?? 0)).map(({ venueId }) => venueId));
    }
    await creating;
    expect(seen).toEqual(Array.from({ length: 36 }, (_, i) => i + 1));
  });

  it('whose COMMIT had no answer are settled when the server is back', async () => {
    await using stage = await MySqlStage.open();
    const { store } = await stage.run();
    stage.proxy.cutAtNextCommit('before-answer');
    const creating = outcomeOf(store.createVenue(hall('one') as never));
    while (stage.proxy.cuts === 0) await sleep(1);
    await stage.proxy.refuseConnections(true);
    stage.proxy.cutAll();
    await sleep(300);
    await stage.proxy.refuseConnections(false);
    expect(await creating).toMatchObject({ said: 1 });
    expect(await stage.rows('SELECT venue_id FROM venue')).toEqual([[1]]);
  });

  it("are not taken for somebody else's that has the id by now", async () => {
    await using stage = await MySqlStage.open();
    const [run, other] = [await stage.run(), await stage.otherRun()];
    stage.proxy.cutAtNextCommit('before-commit');
    const creating = outcomeOf(run.store.createVenue(hall('one') as never, markOf('venue')));
    while (stage.proxy.cuts === 0) await sleep(1);
    await stage.proxy.refuseConnections(true);
    stage.proxy.cutAll();
    expect(await other.store.createVenue(hall('another') as never)).toBe(1);
    await stage.proxy.refuseConnections(false);
    expect(await creating).toMatchObject({ said: 2 });
    expect(await stage.rows('SELECT venue_id, name FROM venue')).toEqual([
      [1, 'another'],
      [2, 'one'],
    ]);
  });

  it('wait for one that takes longer than a wait for a lock', async () => {
    await using stage = await MySqlStage.open();
    const { store } = await stage.run();
    await stage.shell.query('START TRANSACTION');
    await stage.shell.query("UPDATE catalog_counter SET last_id = last_id + 1 WHERE name = 'venue'");
    const creating = outcomeOf(store.createVenue(hall('one') as never));
    await sleep(2_300);
    await stage.shell.query('ROLLBACK');
    expect(await creating).toMatchObject({ said: 1 });
  });

  it('of several processes have ids of their own, without a gap', async () => {
    await using stage = await MySqlStage.open();
    const runs = [await stage.otherRun(), await stage.otherRun(), await stage.run()];
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, i) => runs[i % 3]!.store.createVenue(hall(`${i}`) as never)),
    );
    expect(made.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  });
});
