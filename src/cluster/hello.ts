import * as v from 'valibot';
import { spokenVersion, type WireRange, wireRange } from './wire-version.ts';

/** What a node says of itself before anything else, each end to the other. */
export interface PeerIdentity {
  /** Of the store that all nodes of the cluster share. */
  readonly installationId: string;
  readonly instanceId: string;
  readonly nodeId: string;
  /** Of Usher, for people. */
  readonly version: string;
  /** Default: that of this release. */
  readonly wire?: WireRange;
}

const shortText = v.pipe(v.string(), v.maxLength(300));
const wireNumber = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Fields that are not known here are ignored: a newer node may send more. */
const helloSchema = v.object({
  usher: v.literal('cluster'),
  wireMin: wireNumber,
  wireMax: wireNumber,
  installationId: shortText,
  instanceId: shortText,
  nodeId: shortText,
  version: shortText,
});

export function helloOf({ wire = wireRange, ...self }: PeerIdentity): object {
  const { installationId, instanceId, nodeId, version } = self;
  const { wireMin, wireMax } = wire;
  return { usher: 'cluster', wireMin, wireMax, installationId, instanceId, nodeId, version };
}

/** Both ends come to the same, each from the other's hello. */
type Agreement =
  | { readonly wireVersion: number; readonly peerInstanceId: string }
  | { readonly refusal: string };

export function agree(self: PeerIdentity, message: unknown): Agreement {
  const parsed = v.safeParse(helloSchema, message);
  if (!parsed.success) return { refusal: 'it does not greet as a node of Usher does' };
  const peer = parsed.output;
  if (peer.installationId !== self.installationId) {
    const ids = `theirs is ${peer.installationId}, ours ${self.installationId}`;
    return {
      refusal: `${peer.nodeId} belongs to another installation (${ids}): each needs a secret of its own`,
    };
  }
  const ours = self.wire ?? wireRange;
  const wireVersion = spokenVersion(ours, peer);
  if (wireVersion !== undefined) return { wireVersion, peerInstanceId: peer.instanceId };
  const theirs = `${peer.nodeId} has Usher ${peer.version}, wire format ${rangeText(peer)}`;
  const own = `this node has Usher ${self.version}, wire format ${rangeText(ours)}`;
  return { refusal: `no version of the wire format is known to both: ${theirs}; ${own}` };
}

const rangeText = ({ wireMin, wireMax }: WireRange): string =>
  wireMin === wireMax ? `${wireMin}` : `${wireMin}–${wireMax}`;
