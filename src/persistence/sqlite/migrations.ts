/**
 * The schema, one step a version: migration i leads from version i to i + 1, and the file's version is its
 * PRAGMA user_version. A step that was released is never edited; a change is a new step.
 *
 * Times are milliseconds since the epoch, seats are ordinals in the venue's layout, `status` is the index in
 * reservationStatuses, `kind` of a mark the one in MarkColumns.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE shard (
    shard_id    INTEGER PRIMARY KEY,
    epoch       INTEGER NOT NULL,
    owner       TEXT    NOT NULL,
    last_batch  INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE event_log (
    schedule_id INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    shard_id    INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    payload     TEXT    NOT NULL,
    PRIMARY KEY (schedule_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE schedule_projection (
    schedule_id             INTEGER PRIMARY KEY,
    projected_seq           INTEGER NOT NULL,
    published_seq           INTEGER NOT NULL DEFAULT 0,
    last_at_ms              INTEGER NOT NULL,
    last_reservation_number INTEGER NOT NULL,
    taken_seats             INTEGER NOT NULL, -- by live reservations and blocks
    open_reservations       INTEGER NOT NULL  -- HELD or PAYING
  ) STRICT;

  CREATE TABLE reservation (
    schedule_id   INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    user_id       TEXT    NOT NULL,
    status        INTEGER NOT NULL,
    seats         TEXT    NOT NULL, -- ordinals, comma separated, in the order in which they are shown
    total_minor   INTEGER NOT NULL,
    held_at_ms    INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    ended_at_ms   INTEGER NOT NULL, -- 0 while it is live
    seq           INTEGER NOT NULL,
    PRIMARY KEY (schedule_id, number)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX reservation_by_user ON reservation (user_id, held_at_ms, schedule_id, number);

  -- I1: a seat has one row at most, so one live reservation at most. Number 0 is a block.
  CREATE TABLE seat_reservation (
    schedule_id INTEGER NOT NULL,
    seat        INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    PRIMARY KEY (schedule_id, seat)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE mark (
    schedule_id   INTEGER NOT NULL,
    seq           INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    user_id       TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    fingerprint   INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    kind          INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (schedule_id, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE venue (
    venue_id INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    seats    INTEGER NOT NULL,
    layout   TEXT    NOT NULL -- JSON of the sections; last, so that lists never read its pages
  ) STRICT;

  CREATE TABLE performance (
    performance_id     INTEGER PRIMARY KEY,
    name               TEXT    NOT NULL,
    venue_id           INTEGER NOT NULL REFERENCES venue,
    currency           TEXT    NOT NULL,
    prices             TEXT    NOT NULL, -- JSON
    seats_per_user_max INTEGER,
    orphan_rule        INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE schedule (
    schedule_id    INTEGER PRIMARY KEY,
    performance_id INTEGER NOT NULL REFERENCES performance,
    starts_at_ms   INTEGER NOT NULL,
    on_sale_at_ms  INTEGER
  ) STRICT;
  `,
  `
  -- What an operator's Idempotency-Key has made: a venue, a performance or a schedule.
  CREATE TABLE creation_mark (
    key         TEXT    NOT NULL PRIMARY KEY,
    fingerprint INTEGER NOT NULL,
    id          INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE reservation ADD COLUMN payment_seq INTEGER NOT NULL DEFAULT 0; -- under way or made; 0 = none
  ALTER TABLE reservation ADD COLUMN paid_at_ms  INTEGER NOT NULL DEFAULT 0; -- 0 unless PAID

  -- Payments that are not over, each of an open reservation (open_reservations); one that expired meanwhile keeps its row until the money is settled.
  CREATE TABLE open_payment (
    schedule_id  INTEGER NOT NULL,
    number       INTEGER NOT NULL,
    method       INTEGER NOT NULL, -- index in paymentMethods
    hold_left_ms INTEGER NOT NULL,
    key          TEXT,
    fingerprint  INTEGER,
    PRIMARY KEY (schedule_id, number)
  ) STRICT, WITHOUT ROWID;

  -- This file's name for others, and the ledger that its payments are in.
  CREATE TABLE installation (
    id        TEXT NOT NULL PRIMARY KEY,
    ledger_id TEXT -- NULL until the first start with a ledger
  ) STRICT, WITHOUT ROWID;

  INSERT INTO installation (id) VALUES (lower(hex(randomblob(8))));
  `,
];
