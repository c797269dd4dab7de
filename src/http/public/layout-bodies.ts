import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { VenueId } from '../../actors/allocator/ids.ts';
import type { VenueLayout } from '../../actors/allocator/venue-layout.ts';
import type { CatalogService } from '../../actors/runtime/allocator-service.ts';

interface LayoutBody {
  readonly tag: string;
  readonly json: Uint8Array;
  readonly gzipped: Uint8Array;
}

/** A layout of 200,000 seats takes about 16 MB. */
const keptBytesMax = 128 * 1024 * 1024;

/** The bodies of venue layouts, which never change: written and compressed once, while they are asked for. */
export class LayoutBodies {
  readonly #catalog: CatalogService;
  readonly #kept = new LRUCache<VenueId, LayoutBody>({
    maxSize: keptBytesMax,
    sizeCalculation: ({ json, gzipped }) => json.byteLength + gzipped.byteLength,
  });
  readonly #underWay = new Map<VenueId, Promise<LayoutBody | undefined>>();

  constructor(catalog: CatalogService) {
    this.#catalog = catalog;
  }

  /** Undefined when there is no such venue. Rejects with StoreUnavailable. */
  async of(venueId: VenueId): Promise<LayoutBody | undefined> {
    const kept = this.#kept.get(venueId) ?? this.#underWay.get(venueId);
    if (kept !== undefined) return kept;
    const making = this.#make(venueId).finally(() => this.#underWay.delete(venueId));
    this.#underWay.set(venueId, making);
    return making;
  }

  async #make(venueId: VenueId): Promise<LayoutBody | undefined> {
    const layout = await this.#catalog.venueLayout(venueId);
    if (layout === undefined) return undefined;
    const json = Buffer.from(JSON.stringify(shownLayout(layout)));
    const gzipped = await promisify(gzip)(json);
    const tag = `"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"`;
    const body = { tag, json, gzipped };
    this.#kept.set(venueId, body);
    return body;
  }
}

/** The public part, whatever else is stored with it. */
const shownLayout = ({ venueId, name, sections }: VenueLayout) => ({
  venueId,
  name,
  sections: sections.map((section) => ({
    name: section.name,
    rows: section.rows.map((row) => ({
      name: row.name,
      seats: row.seats.map(({ seatId, number, category, x, y, gapAfter }) => ({
        seatId,
        number,
        category,
        x,
        y,
        gapAfter,
      })),
    })),
  })),
});
