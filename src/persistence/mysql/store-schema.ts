import { installationStep } from '../../mysql/installation.ts';
import type { Schema } from '../../mysql/schema.ts';

/**
 * The tables of the store. Times are milliseconds since the epoch, `seat_id` is a seat's ordinal in its venue
 * (`seat` tells its public name), `status` is the index in reservationStatuses, `kind` of a mark the one in
 * MarkColumns, `phase` the one in movePhases. Users and keys are ASCII, and compared byte by byte. `creation` of an entry of the catalogue names the
 * call that made it (creation.ts).
 */
export const storeSchema: Schema = {
  part: 'store',
  steps: [
    {
      statements: [
        ...installationStep,

        `CREATE TABLE IF NOT EXISTS shard (
           shard_id   SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
           epoch      BIGINT UNSIGNED   NOT NULL,
           owner      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           last_batch BIGINT UNSIGNED   NOT NULL
         ) ENGINE = InnoDB`,

        `CREATE TABLE IF NOT EXISTS event_log (
           schedule_id BIGINT UNSIGNED   NOT NULL,
           seq         BIGINT UNSIGNED   NOT NULL,
           shard_id    SMALLINT UNSIGNED NOT NULL,
           at_ms       BIGINT            NOT NULL,
           type        VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           payload     MEDIUMTEXT        NOT NULL,
           PRIMARY KEY (schedule_id, seq)
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin`,

        `CREATE TABLE IF NOT EXISTS schedule_projection (
           schedule_id             BIGINT UNSIGNED NOT NULL PRIMARY KEY,
           projected_seq           BIGINT UNSIGNED NOT NULL,
           last_at_ms              BIGINT          NOT NULL,
           last_reservation_number BIGINT UNSIGNED NOT NULL,
           taken_seats             INT             NOT NULL,
           open_reservations       INT             NOT NULL,
           KEY with_open_work (open_reservations)
         ) ENGINE = InnoDB`,

        // Apart from the projection's row, so that publishing and projecting never wait for each other.
        `CREATE TABLE IF NOT EXISTS schedule_publication (
           schedule_id   BIGINT UNSIGNED NOT NULL PRIMARY KEY,
           published_seq BIGINT UNSIGNED NOT NULL
         ) ENGINE = InnoDB`,

        `CREATE TABLE IF NOT EXISTS reservation (
           schedule_id    BIGINT UNSIGNED  NOT NULL,
           number         BIGINT UNSIGNED  NOT NULL,
           user_id        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           reservation_id VARCHAR(41) CHARACTER SET ascii COLLATE ascii_bin
                            GENERATED ALWAYS AS (CONCAT(schedule_id, '-', number)) VIRTUAL,
           status         TINYINT UNSIGNED NOT NULL,
           seats          VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           total_minor    BIGINT           NOT NULL,
           held_at_ms     BIGINT           NOT NULL,
           expires_at_ms  BIGINT           NOT NULL,
           ended_at_ms    BIGINT           NOT NULL,
           seq            BIGINT UNSIGNED  NOT NULL,
           payment_seq    BIGINT UNSIGNED  NOT NULL,
           paid_at_ms     BIGINT           NOT NULL,
           PRIMARY KEY (schedule_id, number),
           KEY by_user (user_id, reservation_id),
           KEY by_user_newest_first (user_id, held_at_ms, schedule_id, number)
         ) ENGINE = InnoDB`,

        // I1: live is 1 or NULL, and a UNIQUE key takes any number of NULLs: a seat has one live holder at most.
        // Number 0 is a block. What has ended stays, as cancelled.
        `CREATE TABLE IF NOT EXISTS seat_reservation (
           schedule_id        BIGINT UNSIGNED  NOT NULL,
           reservation_number BIGINT UNSIGNED  NOT NULL,
           seat_id            INT UNSIGNED     NOT NULL,
           live               TINYINT UNSIGNED NULL,
           cancelled          TINYINT UNSIGNED NOT NULL DEFAULT 0,
           PRIMARY KEY (schedule_id, reservation_number, seat_id),
           UNIQUE KEY one_live_holder (schedule_id, seat_id, live),
           KEY by_cancelled (schedule_id, cancelled)
         ) ENGINE = InnoDB`,

        `CREATE TABLE IF NOT EXISTS mark (
           schedule_id     BIGINT UNSIGNED NOT NULL,
           seq             BIGINT UNSIGNED NOT NULL,
           at_ms           BIGINT          NOT NULL,
           user_id         VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           fingerprint     BIGINT UNSIGNED NOT NULL,
           number          BIGINT UNSIGNED NOT NULL,
           kind            TINYINT UNSIGNED NOT NULL,
           expires_at_ms   BIGINT          NOT NULL,
           PRIMARY KEY (schedule_id, seq)
         ) ENGINE = InnoDB`,

        `CREATE TABLE IF NOT EXISTS open_payment (
           schedule_id     BIGINT UNSIGNED  NOT NULL,
           number          BIGINT UNSIGNED  NOT NULL,
           method          TINYINT UNSIGNED NOT NULL,
           hold_left_ms    BIGINT           NOT NULL,
           idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
           fingerprint     BIGINT UNSIGNED  NULL,
           PRIMARY KEY (schedule_id, number)
         ) ENGINE = InnoDB`,

        // Ids are 1, 2, 3 … without a gap, which AUTO_INCREMENT leaves where a creation was rolled back.
        `CREATE TABLE IF NOT EXISTS catalog_counter (
           name    VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
           last_id BIGINT UNSIGNED NOT NULL
         ) ENGINE = InnoDB`,
        "INSERT IGNORE INTO catalog_counter (name, last_id) VALUES ('venue', 0), ('performance', 0), ('schedule', 0)",

        // layout: gzip of the sections' JSON, which for a large hall is more than a packet takes.
        `CREATE TABLE IF NOT EXISTS venue (
           venue_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
           name     VARCHAR(1000)   NOT NULL,
           seats    INT UNSIGNED    NOT NULL,
           layout   LONGBLOB        NOT NULL,
           creation CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin`,

        `CREATE TABLE IF NOT EXISTS seat (
           venue_id  BIGINT UNSIGNED NOT NULL,
           seat_id   INT UNSIGNED    NOT NULL,
           public_id VARCHAR(64)     NOT NULL,
           section   VARCHAR(255)    NOT NULL,
           row_name  VARCHAR(255)    NOT NULL,
           number    VARCHAR(255)    NOT NULL,
           category  VARCHAR(255)    NOT NULL,
           PRIMARY KEY (venue_id, seat_id),
           UNIQUE KEY by_public_id (venue_id, public_id)
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin`,

        `CREATE TABLE IF NOT EXISTS performance (
           performance_id     BIGINT UNSIGNED NOT NULL PRIMARY KEY,
           name               VARCHAR(1000)   NOT NULL,
           venue_id           BIGINT UNSIGNED NOT NULL,
           currency           CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           prices             MEDIUMTEXT      NOT NULL,
           seats_per_user_max INT UNSIGNED    NULL,
           orphan_rule        TINYINT UNSIGNED NOT NULL,
           creation           CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           CONSTRAINT performance_venue FOREIGN KEY (venue_id) REFERENCES venue (venue_id)
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin`,

        `CREATE TABLE IF NOT EXISTS schedule (
           schedule_id    BIGINT UNSIGNED NOT NULL PRIMARY KEY,
           performance_id BIGINT UNSIGNED NOT NULL,
           starts_at_ms   BIGINT          NOT NULL,
           on_sale_at_ms  BIGINT          NULL,
           creation       CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           CONSTRAINT schedule_performance FOREIGN KEY (performance_id) REFERENCES performance (performance_id)
         ) ENGINE = InnoDB`,

        `CREATE TABLE IF NOT EXISTS creation_mark (
           idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
           fingerprint     BIGINT UNSIGNED NOT NULL,
           id              BIGINT UNSIGNED NOT NULL
         ) ENGINE = InnoDB`,
      ],
    },
    {
      statements: [
        // is_open is 1 or NULL, as live is above: a shard has one open move at most, whoever plans them.
        `CREATE TABLE IF NOT EXISTS cluster_move (
           move_id       BIGINT UNSIGNED   NOT NULL AUTO_INCREMENT PRIMARY KEY,
           shard_id      SMALLINT UNSIGNED NOT NULL,
           from_node     VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           to_node       VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
           epoch         BIGINT UNSIGNED   NOT NULL,
           phase         TINYINT UNSIGNED  NOT NULL,
           is_open       TINYINT UNSIGNED  NULL,
           detail        VARCHAR(1000)     NOT NULL,
           planned_at_ms BIGINT            NOT NULL,
           ended_at_ms   BIGINT            NOT NULL,
           UNIQUE KEY one_open_move (shard_id, is_open),
           KEY by_open (is_open)
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin`,

        `CREATE TABLE IF NOT EXISTS operator_action (
           action_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
           at_ms     BIGINT          NOT NULL,
           who       VARCHAR(500)    NOT NULL,
           what      VARCHAR(500)    NOT NULL,
           why       VARCHAR(500)    NOT NULL
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin`,
      ],
    },
  ],
};
