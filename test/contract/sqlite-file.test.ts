import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StoreUnavailable } from '../../src/actors/runtime/ports.ts';
import { openSqliteStore } from '../../src/persistence/sqlite/sqlite-store.ts';
import { TestProcess } from './processes/child-process.ts';
import { ScheduleJournal } from './schedule-journal.ts';
import { temporaryDirectory } from './sqlite-harness.ts';
import { Committer, everything } from './store-harness.ts';

const killsMax = 6;

describe('the file of the SQLite store', () => {
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('has what was answered after kill -9, no more than was asked, and no gap (I2, I6)', async () => {
    let acknowledged = 0;
    for (let kill = 1; kill <= killsMax; kill++) {
      const writer = new TestProcess('commit-until-killed.ts', directory);
      const lines: string[] = [];
      while (lines.length < kill * 3) lines.push((await writer.line()) ?? '');
      lines.push(...(await writer.kill()));
      acknowledged = Number(lines.at(-1));

      const store = await openSqliteStore({ directory });
      const { image, tail } = await store.loadSchedule(new ScheduleJournal(1, 1).scheduleId, everything);
      const seqs = [...image.reservations.seq, ...tail.map(({ seq }) => seq)];
      expect(seqs).toEqual(seqs.map((_, i) => i + 1));
      expect([acknowledged, acknowledged + 20]).toContain(seqs.length);
      await store.close();
    }
    expect(acknowledged).toBeGreaterThan(killsMax * 20);
  });

  it('is for its owner alone, and so is what lies beside it, also when it was not before', async () => {
    const modes = () =>
      readdirSync(directory)
        .sort()
        .map((name) => `${name} ${(statSync(join(directory, name)).mode & 0o777).toString(8)}`);
    const journal = new ScheduleJournal(1, 1);
    for (const seat of [1, 2]) {
      const store = await openSqliteStore({ directory });
      const committer = new Committer(store);
      await committer.claim(1);
      journal.hold({ seats: [seat] });
      await committer.commit(...journal.newRows());
      expect(modes()).toEqual(['usher.db 600', 'usher.db-shm 600', 'usher.db-wal 600']);
      await store.close();
      chmodSync(join(directory, 'usher.db'), 0o644);
    }
  });

  it('is refused, untouched, when a newer Usher wrote it', async () => {
    await (await openSqliteStore({ directory })).close();
    const db = new DatabaseSync(join(directory, 'usher.db'));
    db.exec('PRAGMA user_version = 99');
    const opening = openSqliteStore({ directory });
    await expect(opening).rejects.toThrow(StoreUnavailable);
    await expect(opening).rejects.toThrow(/schema version 99, .* knows versions up to 3$/);
    expect(db.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 99 });
    db.close();
  });

  it('is named when it is no database', async () => {
    writeFileSync(join(directory, 'usher.db'), 'x'.repeat(5000));
    const opening = openSqliteStore({ directory });
    await expect(opening).rejects.toThrow(
      `cannot open ${join(directory, 'usher.db')}: file is not a database`,
    );
  });

  it('is named when its directory is missing', async () => {
    const missing = join(directory, 'missing');
    const opening = openSqliteStore({ directory: missing });
    await expect(opening).rejects.toThrow(`cannot open ${join(missing, 'usher.db')}: unable to open`);
  });

  it('tells once of a projection that stopped, and again after a restart', async () => {
    const journal = new ScheduleJournal(4, 1);
    journal.hold({ seats: [1] });
    journal.hold({ seats: [1] });
    const expected = { scheduleId: 4, seq: 2, message: expect.stringContaining('seat_reservation') };
    for (const rows of [journal.newRows(), []]) {
      const onNotice = vi.fn();
      const store = await openSqliteStore({ directory, onNotice });
      const committer = new Committer(store);
      await committer.claim(1);
      await committer.commit(...rows);
      await expect(store.projectAll()).rejects.toThrow(StoreUnavailable);
      await expect(store.projectAll()).rejects.toThrow(StoreUnavailable);
      expect(onNotice.mock.calls).toEqual([[{ kind: 'projection-error', error: expected }]]);
      await store.close();
    }
  });

  it('is projected without being asked', async () => {
    const store = await openSqliteStore({ directory });
    const committer = new Committer(store);
    await committer.claim(1);
    const journal = new ScheduleJournal(1, 1);
    for (let seat = 0; seat < 700; seat++) journal.hold({ seats: [seat] });
    await committer.commit(...journal.newRows());
    await vi.waitFor(
      async () => {
        const { image } = await store.loadSchedule(journal.scheduleId, everything);
        expect(image.projectedSeq).toBe(700);
      },
      { timeout: 10_000 },
    );
    await store.close();
  });
});
