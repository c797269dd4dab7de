/** RFC 3339, as Usher writes it (UTC, milliseconds) and as it reads it (any offset, any fraction). */

/**
 * The text up to the second, by second: Date.toISOString takes 0.6 µs, and a drop asks for the same few
 * seconds over and over. Direct-mapped; an entry is used only when its second matches.
 */
const slots = 64;
const secondOfSlot = new Float64Array(slots).fill(-1);
const textOfSlot: string[] = new Array(slots).fill('');

const fractions = Array.from({ length: 1000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`);

export function formatTimestamp(atMs: number): string {
  const second = Math.floor(atMs / 1000);
  const slot = second & (slots - 1);
  if (secondOfSlot[slot] !== second) {
    textOfSlot[slot] = new Date(second * 1000).toISOString().slice(0, -4);
    secondOfSlot[slot] = second;
  }
  return `${textOfSlot[slot]}${fractions[atMs - second * 1000]}`;
}

const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Milliseconds since the epoch; undefined for what is no moment in time, like the 30th of February. */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) || atMs < 0 ? undefined : atMs;
}
