/**
 * The schema of ledger.db, one step a version: step i leads from version i to i + 1, and the file's version is
 * its PRAGMA user_version. A step that was released is never edited; a change is a new step.
 *
 * Times are milliseconds since the epoch, amounts are minor units. `kind` is the index in entryKinds, `status`
 * in paymentStatuses, `method` in paymentMethods.
 */
export const ledgerMigrations: readonly string[] = [
  `
  CREATE TABLE point_account (
    user_id TEXT    NOT NULL PRIMARY KEY,
    balance INTEGER NOT NULL CHECK (balance >= 0) -- I4
  ) STRICT, WITHOUT ROWID;

  -- Append-only: the balance is the sum of the amounts.
  CREATE TABLE point_entry (
    entry_id      INTEGER PRIMARY KEY,
    user_id       TEXT    NOT NULL,
    kind          INTEGER NOT NULL,
    amount        INTEGER NOT NULL,
    balance_after INTEGER NOT NULL CHECK (balance_after >= 0),
    payment_id    TEXT, -- NULL for a charge, like the two below
    schedule_id   INTEGER,
    number        INTEGER,
    at_ms         INTEGER NOT NULL
  ) STRICT;

  -- SQLite ends every index with the rowid, which is the entry_id: a page of a user's entries is one range.
  CREATE INDEX point_entry_by_user ON point_entry (user_id);

  -- I4: one debit a payment, and one refund at most, whatever a bug may try.
  CREATE UNIQUE INDEX point_entry_once ON point_entry (payment_id, kind) WHERE payment_id IS NOT NULL;

  CREATE TABLE payment (
    payment_id       TEXT    NOT NULL PRIMARY KEY,
    schedule_id      INTEGER NOT NULL,
    number           INTEGER NOT NULL,
    user_id          TEXT    NOT NULL,
    method           INTEGER NOT NULL,
    amount_minor     INTEGER NOT NULL CHECK (amount_minor >= 0),
    currency         TEXT    NOT NULL,
    status           INTEGER NOT NULL,
    decline_code     TEXT,
    card_token       TEXT, -- until the payment is decided
    reference        TEXT, -- the gateway's names for the charge, and for its refund
    refund_reference TEXT,
    is_taken_over    INTEGER NOT NULL, -- by another driver than the one that began it
    created_at_ms    INTEGER NOT NULL,
    settled_at_ms    INTEGER,
    refunded_at_ms   INTEGER
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX payment_by_schedule ON payment (schedule_id);

  -- Charges that are remembered by their Idempotency-Key (I8).
  CREATE TABLE charge_mark (
    user_id     TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint INTEGER NOT NULL,
    entry_id    INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX charge_mark_by_time ON charge_mark (at_ms);

  -- Tells this ledger's payments from those of another one with the same gateway account.
  CREATE TABLE installation (
    id         TEXT NOT NULL PRIMARY KEY,
    journal_id TEXT -- whose payments these are; NULL until the first start with a journal
  ) STRICT, WITHOUT ROWID;

  INSERT INTO installation (id) VALUES (lower(hex(randomblob(8))));
  `,
];
