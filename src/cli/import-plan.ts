import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { layoutSummary } from '../catalog/layout-summary.ts';
import { importSeatingPlan } from '../catalog/seating-plan-import.ts';
import { AdminClient, adminOptions, adminOptionsHelp } from './admin-client.ts';
import { type CliCommand, UsageError } from './command.ts';

const venueSchema = v.looseObject({
  venueId: v.number(),
  name: v.string(),
  seats: v.number(),
  categories: v.array(v.string()),
});
const performanceSchema = v.looseObject({ performanceId: v.number() });
const scheduleSchema = v.looseObject({ scheduleId: v.number() });

const options = {
  ...adminOptions,
  prices: { type: 'string', multiple: true },
  name: { type: 'string' },
  currency: { type: 'string', default: 'EUR' },
  'starts-at': { type: 'string', multiple: true },
  'on-sale-at': { type: 'string' },
  'seats-per-user-max': { type: 'string' },
  'orphan-rule': { type: 'boolean', default: false },
} as const;

export const importPlan: CliCommand = {
  name: 'import-plan',
  summary: "Imports a seating plan (Usher's own layout, or a pretix plan) and puts it on sale.",
  synopsis: 'FILE [--prices CATEGORY=MINOR…] [options]',
  details: [
    '',
    '  --prices CATEGORY=MINOR…  price of each category in minor units; makes a performance',
    "  --name TEXT               its name (the plan's)",
    '  --currency CODE           ISO 4217 (EUR)',
    '  --starts-at TIME          RFC 3339; makes a schedule, may be repeated',
    '  --on-sale-at TIME         RFC 3339; holds before it are refused',
    '  --seats-per-user-max N    live seats of a user in one schedule',
    '  --orphan-rule             refuse selections that strand a single seat',
    ...adminOptionsHelp,
  ],
  async run(args) {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [file, ...more] = positionals;
    if (file === undefined) throw new UsageError('which FILE?');
    const prices = [...(values.prices ?? []), ...more].map(parsePrice);
    if (values['starts-at'] !== undefined && prices.length === 0) {
      throw new UsageError('--starts-at needs --prices: a schedule belongs to a performance');
    }
    const seatsPerUserMax = values['seats-per-user-max'];
    if (seatsPerUserMax !== undefined && !/^[1-9][0-9]{0,5}$/.test(seatsPerUserMax)) {
      throw new UsageError(`--seats-per-user-max takes an integer from 1, got ${seatsPerUserMax}`);
    }

    const plan = readPlan(file);
    checkPrices(plan, prices);
    const admin = new AdminClient(values);
    const venue = await admin.post('/admin/venues', plan, venueSchema);
    const made: { venueId: number; performanceId?: number; scheduleIds: number[] } = {
      venueId: venue.venueId,
      scheduleIds: [],
    };
    if (prices.length > 0) {
      const performance = {
        name: values.name ?? venue.name,
        venueId: venue.venueId,
        currency: values.currency,
        prices,
        orphanRule: values['orphan-rule'],
        ...(seatsPerUserMax === undefined ? {} : { seatsPerUserMax: Number(seatsPerUserMax) }),
      };
      made.performanceId = (
        await admin.post('/admin/performances', performance, performanceSchema)
      ).performanceId;
    }
    for (const startsAt of values['starts-at'] ?? []) {
      const schedule = {
        performanceId: made.performanceId,
        startsAt,
        ...(values['on-sale-at'] === undefined ? {} : { onSaleAt: values['on-sale-at'] }),
      };
      made.scheduleIds.push((await admin.post('/admin/schedules', schedule, scheduleSchema)).scheduleId);
    }
    if (values.json) console.log(JSON.stringify({ ...venue, ...made }));
    else {
      console.log(
        `venue ${venue.venueId}: ${venue.name}, ${venue.seats} seats in ${venue.categories.join(', ')}`,
      );
      if (made.performanceId !== undefined) console.log(`performance ${made.performanceId}`);
      for (const scheduleId of made.scheduleIds) console.log(`schedule ${scheduleId}`);
    }
    return 0;
  },
};

function readPlan(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`can't read ${file}: ${error instanceof Error ? error.message : error}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** Before anything is created: a venue without its performance would stay behind. */
function checkPrices(plan: unknown, prices: readonly { readonly category: string }[]): void {
  const imported = importSeatingPlan(plan);
  // The node tells of the plan's faults.
  if ('faults' in imported || prices.length === 0) return;
  const { categories } = layoutSummary(imported.layout);
  const priced = prices.map(({ category }) => category);
  const missing = categories.filter((category) => !priced.includes(category));
  const unknown = priced.filter((category) => !categories.includes(category));
  if (missing.length > 0) throw new UsageError(`--prices: no price for ${missing.join(', ')}`);
  if (unknown.length > 0) throw new UsageError(`--prices: the plan has no category ${unknown.join(', ')}`);
}

function parsePrice(argument: string): { category: string; priceMinor: number } {
  const [, category, minor] = /^(.+)=([0-9]{1,12})$/.exec(argument) ?? [];
  if (category === undefined)
    throw new UsageError(`a price is CATEGORY=MINOR, got ${JSON.stringify(argument)}`);
  return { category, priceMinor: Number(minor) };
}
