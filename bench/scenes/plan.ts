import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { parse, YAMLParseError } from 'yaml'
import { CAMERA_ID, type Camera, faultText, type SchemaError, schemaFault } from '../../engine/mod.js'
import { AlprError, DAY_MS, reasonOf } from '../../engine/runtime/mod.js'
import { RandomStream } from './random.js'

export const kLights = ['day', 'dusk', 'night', 'infra-red'] as const
export type LightName = (typeof kLights)[number]

const oneOf = <T extends string>(...values: T[]) => Type.Unsafe<T>({ type: 'string', enum: values })
const optional = <T extends TSchema>(schema: T) => Type.Optional(schema)

/** Fields for all cameras together, or for a single one. docs/feeds.md describes them for users. */
const traffic = {
  /** Frames per second. */
  fps: optional(Type.Number({ minimum: 0.1, maximum: 60 })),
  /** `1280x720`: pixels. */
  size: optional(Type.String({ pattern: '^[1-9][0-9]{2,3}x[1-9][0-9]{2,3}$' })),
  light: optional(oneOf(...kLights)),
  /** From 0 (dry) to 1 (cloudburst). */
  rain: optional(Type.Number({ minimum: 0, maximum: 1 })),
  /** Whether vehicles have their lamps on; by default at dusk and at night. */
  headlights: optional(Type.Boolean()),
  lanes: optional(Type.Integer({ minimum: 1, maximum: 4 })),
  direction: optional(oneOf('approaching', 'receding', 'both')),
  /** km/h, slowest and fastest. */
  speed: optional(Type.Array(Type.Number({ minimum: 3, maximum: 250 }), { minItems: 2, maxItems: 2 })),
  /** Vehicles per minute and lane. */
  traffic: optional(Type.Number({ minimum: 0, maximum: 40 })),
  /** Cars that are parked at the kerb the whole time. */
  parked: optional(Type.Integer({ minimum: 0, maximum: 2 })),
  /** Share of vehicles without a plate. */
  noPlate: optional(Type.Number({ minimum: 0, maximum: 1 })),
  plates: optional(oneOf('us', 'eu')),
  /** Exposure time, ms: it sets the motion blur. */
  shutter: optional(Type.Number({ minimum: 0.05, maximum: 50 })),
  /** JPEG, 1 to 100. */
  quality: optional(Type.Integer({ minimum: 20, maximum: 100 })),
}

const CameraItem = Type.Object(
  {
    id: Type.String({ pattern: CAMERA_ID.source }),
    name: optional(Type.String({ minLength: 1, maxLength: 200 })),
    lat: optional(Type.Number({ minimum: -90, maximum: 90 })),
    lon: optional(Type.Number({ minimum: -180, maximum: 180 })),
    heading: optional(Type.Number({ minimum: 0, exclusiveMaximum: 360 })),
    ...traffic,
  },
  { additionalProperties: false },
)

const PlanFile = Type.Object(
  {
    /** The same seed makes the same bytes. */
    seed: optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    /** `90s`, `10m`, `24h`. */
    duration: Type.String({ pattern: '^[0-9]+(\\.[0-9]+)?(s|m|h)$' }),
    /** Capture time of the first frame. */
    start: optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?Z$' })),
    /** Their number, or a list. */
    cameras: Type.Unsafe<number | Static<typeof CameraItem>[]>({}),
    ...traffic,
  },
  { additionalProperties: false },
)

const kMostCameras = 1_000
const kLongestMs = 31 * DAY_MS
/** Limits of a side, pixels. */
const kSize = { least: 320, most: 3_840 }

/** One camera of a feed to render, with every value filled in. */
export interface RenderCamera {
  record: Camera
  fps: number
  width: number
  height: number
  light: LightName
  rain: number
  headlights: boolean
  lanes: number
  direction: 'approaching' | 'receding' | 'both'
  /** Metres per second. */
  speed: readonly [least: number, most: number]
  traffic: number
  parked: number
  noPlate: number
  plates: 'us' | 'eu'
  /** Seconds. */
  shutter: number
  quality: number
}

/** A feed to render. */
export interface RenderPlan {
  seed: number
  /** ms since 1970 UTC. */
  start: number
  durationMs: number
  cameras: RenderCamera[]
}

const ajv = new Ajv({ allErrors: false })
const checkPlan = ajv.compile(PlanFile)
const checkCamera = ajv.compile(CameraItem)
const kShutter: Record<LightName, number> = { day: 1, dusk: 1.5, night: 2.5, 'infra-red': 0.6 }

/**
 * Parses the YAML of a feed to render. @param file name for error messages
 * @throws ALPR_ERR_FEED_INVALID naming the field
 */
export function parsePlan(text: string, file: string): RenderPlan {
  const invalid = (reason: string, cause?: unknown) =>
    new AlprError('ALPR_ERR_FEED_INVALID', { file, reason }, { cause })
  let value: unknown
  try {
    // A plan needs no aliases, and a few of them can expand to gigabytes.
    value = parse(text, { maxAliasCount: 0, prettyErrors: false })
  } catch (error) {
    const line = error instanceof YAMLParseError ? `line ${text.slice(0, error.pos[0]).split('\n').length}: ` : ''
    throw invalid(`not YAML: ${line}${reasonOf(error)}`, error)
  }
  if (!checkPlan(value)) throw invalid(complaint(checkPlan.errors!))
  const plan = value as Static<typeof PlanFile>
  const durationMs =
    Number(plan.duration.slice(0, -1)) * { s: 1_000, m: 60_000, h: 3_600_000 }[plan.duration.at(-1) as 's' | 'm' | 'h']
  if (!(durationMs > 0 && durationMs <= kLongestMs)) throw invalid('duration must be more than 0 and at most 744h')
  const start = Date.parse(plan.start ?? '2026-05-15T15:00:00Z')
  if (Number.isNaN(start)) throw invalid('start is not a time')
  const { seed = 1, cameras, duration: _, start: __, ...all } = plan
  const items = camerasOf(cameras, invalid)
  return {
    seed,
    start,
    durationMs,
    cameras: items.map((item, i) =>
      filled({ ...all, ...item }, i, seed, Array.isArray(cameras) ? `cameras.${i}.` : '', invalid),
    ),
  }
}

type Item = Static<typeof CameraItem>

function camerasOf(cameras: unknown, invalid: (reason: string) => AlprError): Item[] {
  if (typeof cameras === 'number') {
    if (!(Number.isInteger(cameras) && cameras >= 1 && cameras <= kMostCameras))
      throw invalid(`cameras must be a whole number from 1 to ${kMostCameras}, or a list`)
    return Array.from({ length: cameras }, (_, i) => ({
      id: `cam-${String(i + 1).padStart(Math.max(2, String(cameras).length), '0')}`,
    }))
  }
  if (!Array.isArray(cameras) || cameras.length === 0 || cameras.length > kMostCameras)
    throw invalid(`cameras must be a whole number from 1 to ${kMostCameras}, or a list`)
  const seen = new Set<string>()
  for (const [i, item] of (cameras as Item[]).entries()) {
    if (!checkCamera(item)) throw invalid(complaint(checkCamera.errors!, `cameras.${i}`))
    if (seen.has(item.id)) throw invalid(`cameras.${i}.id: ${item.id} is used twice`)
    seen.add(item.id)
  }
  return cameras as Item[]
}

function filled(
  item: Item,
  index: number,
  seed: number,
  at: string,
  invalid: (reason: string) => AlprError,
): RenderCamera {
  const { id, name, lat, lon, heading, light = 'day', speed = [30, 50], size = '1280x720' } = item
  const [width, height] = size.split('x').map(Number) as [number, number]
  for (const side of [width, height])
    if (side < kSize.least || side > kSize.most)
      throw invalid(`${at}size must have sides of ${kSize.least} to ${kSize.most} pixels`)
  if (speed[0]! > speed[1]!) throw invalid(`${at}speed must be [slowest, fastest]`)
  const random = new RandomStream(`${seed}/${id}/place`)
  return {
    record: {
      id,
      name: name ?? `Camera ${index + 1}`,
      kind: 'fixed',
      lat: lat ?? round(38.75 + random.between(-0.05, 0.05), 5),
      lon: lon ?? round(-121.29 + random.between(-0.05, 0.05), 5),
      heading: heading ?? random.below(360),
      agency: 'Rendered feed',
    },
    fps: item.fps ?? 5,
    width,
    height,
    light,
    rain: item.rain ?? 0,
    headlights: item.headlights ?? (light === 'dusk' || light === 'night'),
    lanes: item.lanes ?? 1,
    direction: item.direction ?? 'receding',
    speed: [speed[0]! / 3.6, speed[1]! / 3.6],
    traffic: item.traffic ?? 8,
    parked: item.parked ?? 0,
    noPlate: item.noPlate ?? 0.03,
    plates: item.plates ?? 'us',
    shutter: (item.shutter ?? kShutter[light]) / 1_000,
    quality: item.quality ?? 80,
  }
}

/** One line that names the field and what is required of it. @param at the place of the value in the file */
function complaint(errors: readonly SchemaError[], at = ''): string {
  const fault = schemaFault(errors)
  const field = [at, fault.field].filter(Boolean).join('.')
  const shape = errors[0]!.keyword === 'pattern' ? kShapes[field.split('.').at(-1)!] : undefined
  return faultText({ ...fault, field, ...(shape && { limit: `must ${shape}` }) }, 'the file')
}

const kShapes: Record<string, string> = {
  size: 'be like 1280x720',
  duration: 'be a time such as 90s, 10m or 24h',
  start: 'be a time such as 2026-05-15T02:40:00Z',
  id: 'have 1 to 64 characters of a-z, 0-9 and "-"',
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))
