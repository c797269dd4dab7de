import { installationStep } from '../../mysql/installation.ts';
import type { Schema } from '../../mysql/schema.ts';

/** Strings whose bytes are their identity; the edges let nothing but ASCII in. */
const ascii = (length: number): string => `VARCHAR(${length}) CHARACTER SET ascii COLLATE ascii_bin`;

const table = 'ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';

/**
 * Accounts, entries and payments. Times are milliseconds since the epoch, amounts are minor units. `kind` is the
 * index in entryKinds, `status` in paymentStatuses, `method` in paymentMethods. Constraints bear the name of their
 * table, because MySQL wants them unique in the database.
 */
export const ledgerSchema: Schema = {
  part: 'ledger',
  steps: [
    {
      statements: [
        ...installationStep,
        // `moved`: what the last batch that touched the account has added to it. It carries the amount to where the
        // balance is moved by it, so that no batch can set a balance, whatever it believes to have read (I4).
        `CREATE TABLE IF NOT EXISTS point_account (
           user_id ${ascii(64)} NOT NULL PRIMARY KEY,
           balance BIGINT NOT NULL,
           moved   BIGINT NOT NULL DEFAULT 0,
           CONSTRAINT point_account_balance CHECK (balance >= 0)
         ) ${table}`,
        // Append-only: the balance is the sum of the amounts. A charge has no payment, schedule or number.
        // `once`: one debit a payment, and one refund at most, whatever a bug may try (I4).
        `CREATE TABLE IF NOT EXISTS point_entry (
           entry_id      BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
           user_id       ${ascii(64)} NOT NULL,
           kind          TINYINT NOT NULL,
           amount        BIGINT NOT NULL,
           balance_after BIGINT NOT NULL,
           payment_id    ${ascii(50)},
           schedule_id   BIGINT,
           number        BIGINT,
           at_ms         BIGINT NOT NULL,
           CONSTRAINT point_entry_balance_after CHECK (balance_after >= 0),
           KEY by_user (user_id, entry_id),
           UNIQUE KEY once (payment_id, kind)
         ) ${table}`,
        // `card_token`: until the payment is decided. `reference` and `refund_reference`: the gateway's names for the
        // charge and for its refund. `is_taken_over`: by another driver than the one that began it.
        `CREATE TABLE IF NOT EXISTS payment (
           payment_id       ${ascii(50)} NOT NULL PRIMARY KEY,
           schedule_id      BIGINT NOT NULL,
           number           BIGINT NOT NULL,
           user_id          ${ascii(64)} NOT NULL,
           method           TINYINT NOT NULL,
           amount_minor     BIGINT NOT NULL,
           currency         CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           status           TINYINT NOT NULL,
           decline_code     VARCHAR(255),
           card_token       VARCHAR(255),
           reference        VARCHAR(255),
           refund_reference VARCHAR(255),
           is_taken_over    TINYINT NOT NULL,
           created_at_ms    BIGINT NOT NULL,
           settled_at_ms    BIGINT,
           refunded_at_ms   BIGINT,
           CONSTRAINT payment_amount CHECK (amount_minor >= 0),
           KEY by_schedule (schedule_id, payment_id),
           KEY by_user (user_id, created_at_ms)
         ) ${table}`,
        // Charges that are remembered by their Idempotency-Key (I8). `name`: user and key with a space between them;
        // one column, because MariaDB looks for a list of pairs by reading the whole table.
        `CREATE TABLE IF NOT EXISTS charge_mark (
           name          ${ascii(320)} NOT NULL PRIMARY KEY,
           fingerprint   BIGINT NOT NULL,
           entry_id      BIGINT NOT NULL,
           balance_after BIGINT NOT NULL,
           at_ms         BIGINT NOT NULL,
           KEY by_time (at_ms)
         ) ${table}`,
      ],
    },
  ],
};
