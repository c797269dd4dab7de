import { escape as escapeText } from 'mysql2';

export type SqlValue = string | number | null;

/**
 * `(…), (…)` for a multi-row INSERT, with the values in it: one text for hundreds of rows is several times
 * cheaper than placeholders for each of them, and a server-side prepared statement has a fixed number of rows.
 * Strings are escaped by the driver's own function; sessions set the sql_mode that it expects.
 */
export function sqlRows(rows: Iterable<readonly SqlValue[]>): string {
  const parts: string[] = [];
  for (const row of rows) parts.push(sqlList(row));
  return parts.join(',');
}

/** `(1,'a',NULL)`. */
export const sqlList = (values: readonly SqlValue[]): string => `(${values.map(sqlValue).join(',')})`;

export function sqlValue(value: SqlValue): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`${value} is no number of SQL's`);
    return `${value}`;
  }
  return value === null ? 'NULL' : escapeText(value);
}
