import { expect, it } from 'vitest';
import { transferableBuffers } from '../../../../src/persistence/image-columns.ts';
import { RecoveryImageReader } from '../../../../src/persistence/sqlite/recovery-image.ts';
import { foldedImage, foldJournal } from '../../../contract/journal-fold.ts';
import { RandomJournalWriter } from '../../../contract/random-journal.ts';
import { ScheduleJournal } from '../../../contract/schedule-journal.ts';
import { Prng } from '../../../simulation/prng.ts';
import { TestDatabase } from './test-database.ts';

it('an image moves to another thread with all its typed arrays, and arrives whole', () => {
  const test = new TestDatabase();
  const projector = test.newProjector();
  const journal = new ScheduleJournal(1, 1);
  new RandomJournalWriter(journal, new Prng(8)).write(200);
  test.commit(journal.newRows(), projector);
  projector.projectChunk();
  const { image } = new RecoveryImageReader(test.db).read(journal.scheduleId, 0, 0);
  const transfer = transferableBuffers(image);
  expect(new Set(transfer).size).toBe(18);
  const arrived = structuredClone(image, { transfer });
  expect(transfer.every((buffer) => buffer.detached)).toBe(true);
  expect(foldedImage(arrived)).toEqual(foldJournal(journal.rows()));
});
