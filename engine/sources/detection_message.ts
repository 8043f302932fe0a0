import { isUtf8 } from 'node:buffer'
import { Type, type Static } from '@sinclair/typebox'
import { normalisePlate, strictPlate, type Quad } from '../../wasm/mod.js'
import { AlprError } from '../errors.js'
import { isWithoutFix } from '../model/camera.js'
import type { Observation } from '../model/observation.js'
import { ReadIds } from '../model/read_id.js'
import { faultText, parserOf, type SchemaFault } from '../runtime/validate.js'
import { MAX_PICTURES, unpackPictures } from '../model/pictured_message.js'
import { characterDistributions } from './message_distribution.js'

/** 1 MiB: ten times 256 detections with every field. */
export const MAX_MESSAGE_BYTES = 1_048_576
/** Most detections in one message. */
export const MAX_DETECTIONS = ReadIds.MOST.detections

const strict = { additionalProperties: false }
const Confidence = Type.Number({ minimum: 0, maximum: 1 })
const Corner = Type.Tuple([Type.Number({ minimum: -1e6, maximum: 1e6 }), Type.Number({ minimum: -1e6, maximum: 1e6 })])
const PictureIndex = Type.Integer({ minimum: 0, maximum: MAX_PICTURES - 1 })
const PlateText = Type.String({ minLength: 1, maxLength: 64 })

/**
 * One plate that a camera read itself (docs/feeds.md): names as in `platestream recognize --json`, units as in the
 * headers of a frame.
 */
export const DetectionSchema = Type.Object(
  {
    /** RFC 3339, UTC. */
    capturedAt: Type.String({ maxLength: 64 }),
    /** The whole text as read; case, blanks and dashes are ignored. */
    plate: PlateText,
    /** Probability that the whole text is right. */
    confidence: Confidence,
    /** Confidence of each character of the plate, in order. @default the same for all */
    characters: Type.Optional(Type.Array(Confidence, { minItems: 1, maxItems: 12 })),
    /** Other possible texts, best first. */
    alternates: Type.Optional(
      Type.Array(Type.Object({ plate: PlateText, confidence: Confidence }, strict), { maxItems: 5 }),
    ),
    /** State or country of issue as ISO 3166 writes it. */
    region: Type.Optional(Type.String({ pattern: '^[A-Z]{2}(-[A-Z0-9]{1,3})?$' })),
    /**
     * Corners of the plate clockwise from its upper left, in pixels of the camera's picture. With it the detections of
     * one vehicle are voted into one read.
     */
    quad: Type.Optional(Type.Tuple([Corner, Corner, Corner, Corner])),
    /** The camera's own name for the vehicle; serves the same purpose. */
    track: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    /**
     * With `track`: what the camera says of the vehicle, not what it saw in one frame. The latest counts alone: a text
     * that it corrects replaces the one before. `new` begins a vehicle, after `lost` comes nothing more of it.
     */
    report: Type.Optional(Type.Union([Type.Literal('new'), Type.Literal('update'), Type.Literal('lost')])),
    /** Which of the message's pictures (PSD1) show the vehicle and its plate; where the plate is in the scene. */
    pictures: Type.Optional(
      Type.Object(
        {
          scene: Type.Optional(PictureIndex),
          plate: Type.Optional(PictureIndex),
          quad: Type.Optional(Type.Tuple([Corner, Corner, Corner, Corner])),
        },
        strict,
      ),
    ),
    /** Degrees, WGS 84; for a camera that moves. */
    position: Type.Optional(
      Type.Object(
        { lat: Type.Number({ minimum: -90, maximum: 90 }), lon: Type.Number({ minimum: -180, maximum: 180 }) },
        strict,
      ),
    ),
    /** Degrees clockwise from north; metres per second. */
    heading: Type.Optional(Type.Number({ minimum: 0, maximum: 360 })),
    speed: Type.Optional(Type.Number({ minimum: 0, maximum: 150 })),
  },
  strict,
)

type Raw = Static<typeof DetectionSchema>

class Fault extends Error {
  constructor(readonly fault: SchemaFault) {
    super()
  }
}

/** In place: the value was parsed from the message a moment ago, and the schema has no defaults. */
const parseRaw = parserOf<Raw>(DetectionSchema, (fault) => new Fault(fault), { copy: false })

/** Fields that a detection may lack. One with an impossible value (null, NaN, -1) is left out: the read stays. */
const OPTIONAL: ReadonlySet<string> = new Set(
  Object.keys(DetectionSchema.properties).filter((name) => !(DetectionSchema.required as string[]).includes(name)),
)

/** A valid detection. */
export interface CameraDetection extends Pick<Raw, 'capturedAt' | 'position' | 'heading' | 'speed'> {
  observation: Observation
  /** Optional fields whose values no such field can have: as if the message did not have them. */
  leftOut: readonly string[]
}

/**
 * The detections of a message: one object, or an array of 1 to 256. Pictures may follow (pictured_message.ts).
 * @returns `alone`: whether the message is one object, not an array
 * @throws ALPR_ERR_DETECTION_INVALID
 */
export function splitMessage(message: Uint8Array): { elements: readonly unknown[]; alone: boolean } {
  if (message.length === 0) throw invalid('the message is empty')
  const unpacked = unpackPictures(message)
  if (unpacked === 'broken') throw invalid('its PSD1 line does not fit its length')
  const payload = unpacked?.json ?? message
  if (payload.length > MAX_MESSAGE_BYTES)
    throw invalid(`the message has ${payload.length} bytes, the limit is ${MAX_MESSAGE_BYTES}`)
  if (!isUtf8(payload)) throw invalid('the message is not UTF-8')
  const value = parseJson(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString())
  if (!Array.isArray(value)) return { elements: [value], alone: true }
  if (value.length < 1 || value.length > MAX_DETECTIONS)
    throw invalid(`the message has ${value.length} detections, 1 to ${MAX_DETECTIONS} are allowed`)
  return { elements: value, alone: false }
}

/** Strings, to pass them over, and the numbers that JSON does not have but that other languages write. */
const STRING_OR_NO_NUMBER = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g

/** Python and others write NaN and Infinity: null, which is left out. @throws ALPR_ERR_DETECTION_INVALID */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    try {
      return JSON.parse(text.replace(STRING_OR_NO_NUMBER, (part) => (part.startsWith('"') ? part : 'null')))
    } catch {
      // What V8 says quotes the payload, and this text is shown to people who may not see plates.
      throw invalid('the message is not JSON')
    }
  }
}

/**
 * The valid fields of a detection, and the names of the optional ones that were left out. The value stays as it is: it
 * becomes a dead letter when a required field is at fault. @throws ALPR_ERR_DETECTION_INVALID naming the field
 */
function parseFields(value: unknown): { raw: Raw; leftOut: string[] } {
  const leftOut: string[] = []
  for (let rest = value; ; ) {
    try {
      return { raw: parseRaw(rest), leftOut }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      const field = error.fault.field.split('.', 1)[0]!
      if (!OPTIONAL.has(field)) throw invalid(faultText(error.fault))
      const { [field]: _, ...others } = rest as Record<string, unknown>
      rest = others
      leftOut.push(field)
    }
  }
}

/** @throws ALPR_ERR_DETECTION_INVALID naming the field */
export function parseDetection(value: unknown): CameraDetection {
  const { raw, leftOut } = parseFields(value)
  const { capturedAt, plate: text, confidence, alternates = [], region = null } = raw
  const { quad, track, heading, speed, report, pictures } = raw
  const position = raw.position && !isWithoutFix(raw.position) ? raw.position : undefined
  if (raw.position && !position) leftOut.push('position')
  const plate = plateOf(text)
  const characters = raw.characters?.length === plate.length ? raw.characters : undefined
  if (raw.characters && !characters) leftOut.push('characters')
  return {
    leftOut,
    capturedAt,
    position,
    heading,
    speed,
    observation: {
      plate,
      confidence,
      positions: characterDistributions(plate, confidence, characters),
      region,
      regionConfidence: region === null ? 0 : confidence,
      alternates:
        alternates.length === 0
          ? NO_ALTERNATES
          : alternates
              .map((other) => ({ plate: normalisePlate(other.plate), confidence: other.confidence }))
              .filter((other) => other.plate !== ''),
      quality: UNKNOWN,
      ...(quad && { quad: quad as Quad }),
      ...(track !== undefined && { track }),
      ...(track !== undefined && report && { report }),
      ...(pictures && { pictures: pictures as Observation['pictures'] }),
    },
  }
}

const NO_ALTERNATES: Observation['alternates'] = []
/** The quality of a picture that stayed in the camera. */
const UNKNOWN = { heightPx: 0, widthPx: 0, sharpness: 0, contrast: 0, glare: 0 }

/** Rejects wildcards and odd characters: dropping one would change which plate is meant. */
function plateOf(text: string): string {
  const strict = strictPlate(text)
  if ('odd' in strict) throw invalid(`plate has the character "${strict.odd}", which no plate has`)
  if (strict.plate.length < 1 || strict.plate.length > 12)
    throw invalid(`plate has ${strict.plate.length} characters, 1 to 12 are allowed`)
  return strict.plate
}

const invalid = (reason: string): AlprError => new AlprError('ALPR_ERR_DETECTION_INVALID', { reason })
