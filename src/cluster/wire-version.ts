/**
 * The versions of the wire format that a node speaks. Two nodes speak the highest that both know, so that nodes of
 * neighbouring releases work together while an upgrade rolls through the cluster: a release that brings a version
 * still speaks the one before.
 *
 * What may change without a new version: fields that are added, since unknown ones are ignored by whoever gets
 * them, and which an older node can do without.
 */
export interface WireRange {
  readonly wireMin: number;
  readonly wireMax: number;
}

/** Of this release. */
export const wireRange: WireRange = { wireMin: 1, wireMax: 1 };

/** Undefined: there is none that both know. */
export function spokenVersion(ours: WireRange, theirs: WireRange): number | undefined {
  const version = Math.min(ours.wireMax, theirs.wireMax);
  return version >= Math.max(ours.wireMin, theirs.wireMin) ? version : undefined;
}
