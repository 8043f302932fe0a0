import { AlprError } from '../../engine/runtime/mod.js'
import { instantOf, instantOfEpoch } from './local_time.js'
import { pictureFault } from './picture.js'
import type { PushedDetection, PushRequest } from './request.js'

/** Of cameras that do not say how sure they are. */
const USUAL_CONFIDENCE = 0.8
/** Too unsure for any list: of a word that a camera sends in place of a plate. */
const WORD_CONFIDENCE = 0.01
/** Words that cameras send when they see no plate. Some are plates too, so that the read stays. */
const WORDS = /^(unknown|unlicen[sc]ed|no ?plate|no ?read|not ?read|none|null|n\/?a|undefined|empty)$/i

type Corner = [number, number]
type Quad = [Corner, Corner, Corner, Corner]

/** Collects the fields of one detection; what cannot be used is named in `leftOut`, and the rest counts. */
export class Draft {
  readonly leftOut: string[] = []
  readonly pictures: Buffer[] = []

  /** @param kind of the camera, for errors */
  constructor(
    private readonly kind: string,
    private readonly request: Pick<PushRequest, 'push'>,
  ) {}

  /** Text, or a number as text; undefined for what is empty, null, -1 or no text. */
  text(value: unknown): string | undefined {
    if (typeof value === 'number' && Number.isFinite(value)) return String(value)
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
  }

  /** A number of a range. Values that mean "not known" (-1, NaN, text) are left out and named. */
  number(field: string, value: unknown, least: number, most: number): number | undefined {
    if (value === undefined || value === '' || value === null) return undefined
    const number = typeof value === 'string' ? Number(value) : value
    if (typeof number === 'number' && number >= least && number <= most) return number
    this.leftOut.push(field)
    return undefined
  }

  /**
   * @param scale what the camera's largest value is: 1, 100 or 255
   * @returns 0 to 1; the usual one when the camera says none that can be
   */
  confidence(value: unknown, scale: 1 | 100 | 255): number {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof number === 'number' && number > 0) {
      if (scale === 255 && number <= 255) return number / 255
      if (scale !== 255 && number <= 1) return scale === 100 && number === 1 ? 0.01 : number
      if (scale !== 255 && number <= 100) return number / 100
    }
    this.leftOut.push('confidence')
    return USUAL_CONFIDENCE
  }

  /** A time with or without a zone. @throws ALPR_ERR_PUSH_TIME_INVALID */
  time(field: string, value: unknown): number {
    const text = this.text(value)
    if (text === undefined) throw this.invalid(`it has no ${field}`)
    return /^\d+(\.\d+)?$/.test(text) ? instantOfEpoch(text, field) : instantOf(text, field, this.request.push.zone)
  }

  /** State or country of issue as ISO 3166 writes it, from "us-ca", "USA" or "CA" with its country. */
  region(value: unknown, country = ''): string | undefined {
    const text = this.text(value)?.toUpperCase().replace('_', '-')
    if (text === undefined) return undefined
    const state = /^[A-Z]{2}$/.test(country) && /^[A-Z0-9]{1,3}$/.test(text) ? `${country}-${text}` : text
    if (/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(state)) return state
    if (COUNTRIES[state]) return COUNTRIES[state]
    this.leftOut.push('region')
    return undefined
  }

  /** @returns its index in the message; undefined when it is none, or no JPEG */
  picture(data: Buffer | undefined): number | undefined {
    if (!data || data.length === 0) return undefined
    if (pictureFault(data) !== undefined) {
      this.leftOut.push('picture')
      return undefined
    }
    return this.pictures.push(data) - 1
  }

  /** The same for base64, with or without the beginning of a data address. */
  picture64(value: unknown): number | undefined {
    const text = this.text(value)
    return text === undefined ? undefined : this.picture(Buffer.from(text.replace(/^data:[^,]{0,100},/, ''), 'base64'))
  }

  /** The corners of a box; undefined when it is none. */
  box(left: unknown, top: unknown, width: unknown, height: unknown): Quad | undefined {
    const [x, y, w, h] = [left, top, width, height].map((value) =>
      this.text(value) === undefined ? NaN : Number(value),
    )
    if (![x, y, w, h].every(Number.isFinite) || !(w! > 0 && h! > 0)) return undefined
    return [
      [x!, y!],
      [x! + w!, y!],
      [x! + w!, y! + h!],
      [x!, y! + h!],
    ]
  }

  /** @returns undefined when the camera saw no plate, which is counted */
  detection(plate: unknown, { pictures, ...fields }: Omit<PushedDetection, 'plate'>): PushedDetection | undefined {
    const text = this.text(plate)
    if (text === undefined) {
      this.leftOut.push('plate')
      return undefined
    }
    const isWord = WORDS.test(text)
    if (isWord) this.leftOut.push('no_plate_word')
    const { scene, plate: crop, quad } = pictures ?? {}
    const named = {
      ...(scene !== undefined && { scene }),
      ...(crop !== undefined && { plate: crop }),
      ...(quad && { quad }),
    }
    const detection: PushedDetection = {
      ...fields,
      plate: text,
      confidence: isWord ? WORD_CONFIDENCE : fields.confidence,
      ...((scene !== undefined || crop !== undefined) && { pictures: named }),
    }
    return JSON.parse(JSON.stringify(detection)) as PushedDetection
  }

  invalid(reason: string): AlprError {
    return new AlprError('ALPR_ERR_PUSH_INVALID', { kind: this.kind, reason })
  }
}

/** Names of countries that cameras write, as ISO 3166 does. */
const COUNTRIES: Record<string, string> = {
  USA: 'US',
  CAN: 'CA',
  MEX: 'MX',
  GBR: 'GB',
  DEU: 'DE',
  FRA: 'FR',
  BRA: 'BR',
}

/** @throws ALPR_ERR_PUSH_INVALID when it is no JSON object or array */
export function parseJsonBody(kind: string, body: Buffer): Record<string, unknown> | unknown[] {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''))
  } catch {
    // The parser's words quote the message.
    throw new AlprError('ALPR_ERR_PUSH_INVALID', {
      kind,
      reason: `it is no JSON, but ${pictureFault(body) ?? 'a JPEG'}`,
    })
  }
  if (value === null || typeof value !== 'object')
    throw new AlprError('ALPR_ERR_PUSH_INVALID', { kind, reason: 'the JSON is no object' })
  return value as Record<string, unknown>
}

/** A field within objects and arrays, by names and indexes; undefined when there is none. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  let found = value
  for (const step of path) {
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, step)) return undefined
    found = (found as Record<string | number, unknown>)[step]
  }
  return found
}

/** An array, or none. */
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
