import * as v from 'valibot';
import { coordinateSchema, finiteSchema } from './plan-values.ts';
import { centre, origin, type Point, plus } from './point.ts';

/**
 * Where people look. Plans draw it as an area with a text; nothing else tells it from a bar or a door. Of
 * several such areas the one with the shortest text: `Stage` rather than `Stage door`.
 */
export interface NamedPoint {
  readonly text: string;
  readonly at: Point;
}

const STAGE_WORDS = [
  'stage',
  '\\p{L}*b(ü|ue)hne',
  'sc[eè]n[ea]?',
  'сцена',
  '舞台',
  'escenario',
  'palcoscenico',
  'podium',
  'podio',
  'screen',
  'leinwand',
  '[eé]cran',
  'pantalla',
  'pitch',
  'spielfeld',
  'playing field',
];
const STAGE_TEXT = new RegExp(`(?<!\\p{L})(${STAGE_WORDS.join('|')})(?!\\p{L})`, 'iu');
/** A stage in Portuguese, a box in Italian and Spanish: `Palco 3` is none. */
const STAGE_WHOLE_TEXT = /^palco$/i;
const textLengthMax = 100;

export function findStage(areas: readonly NamedPoint[]): Point | undefined {
  let stage: NamedPoint | undefined;
  for (const area of areas)
    if (isStage(area.text) && (stage === undefined || area.text.length < stage.text.length)) stage = area;
  return stage?.at;
}

const isStage = (text: string): boolean =>
  text.length <= textLengthMax && (STAGE_TEXT.test(text) || STAGE_WHOLE_TEXT.test(text));

const pointSchema = v.object({ x: coordinateSchema, y: coordinateSchema });
const sizeSchema = v.object({ width: coordinateSchema, height: coordinateSchema });

/** Areas are decoration: what cannot be read of one is left out, and nothing of one is refused. */
const areaSchema = v.object({
  position: v.fallback(pointSchema, origin),
  text: v.union([v.string(), v.object({ text: v.string() })]),
  rotation: v.fallback(finiteSchema, 0),
  rectangle: v.fallback(v.optional(sizeSchema), undefined),
  polygon: v.fallback(v.optional(v.object({ points: v.array(pointSchema) })), undefined),
  /** Before areas had shapes, all were rectangles. */
  width: v.fallback(v.optional(coordinateSchema), undefined),
  height: v.fallback(v.optional(coordinateSchema), undefined),
});

/** An area of a seating plan by its text and its middle; undefined for one without a text. */
export function readArea(input: unknown, zonePosition: Point): NamedPoint | undefined {
  const parsed = v.safeParse(areaSchema, input);
  if (!parsed.success) return undefined;
  const { text, position, rotation } = parsed.output;
  const offset = rotate(middleOf(parsed.output), rotation);
  return {
    text: (typeof text === 'string' ? text : text.text).trim(),
    at: plus(plus(zonePosition, position), offset),
  };
}

/** Relative to the area's position. Circles, ellipses and texts stand around theirs. */
function middleOf(area: v.InferOutput<typeof areaSchema>): Point {
  const points = area.polygon?.points ?? [];
  if (points.length > 0) return centre(points);
  const { width, height } = area.rectangle ?? area;
  return { x: (width ?? 0) / 2, y: (height ?? 0) / 2 };
}

function rotate(point: Point, degrees: number): Point {
  const angle = (degrees * Math.PI) / 180;
  return {
    x: point.x * Math.cos(angle) - point.y * Math.sin(angle),
    y: point.x * Math.sin(angle) + point.y * Math.cos(angle),
  };
}
