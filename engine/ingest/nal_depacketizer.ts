import { MOST_PICTURE_BYTES, type Assembled, type Depacketizer, type RtpPacket } from './access_unit.js'

const START_CODE = Buffer.from([0, 0, 0, 1])

/** What differs between H.264 and H.265 in RTP. */
interface Kind {
  /** Bytes of the header of a NAL unit. */
  header: number
  type(unit: Buffer): number
  /** Several units in one packet, and a piece of a unit. */
  aggregate: number
  fragment: number
  /** The header of the unit of which a packet is a piece. */
  unitHeader(payload: Buffer): Buffer
  isPicture(type: number): boolean
  /** Whether decoding may begin with a picture that has such a unit. */
  isKey(type: number): boolean
  /** Whether no other picture needs the picture of this unit. */
  isDisposable(unit: Buffer): boolean
}

/** RFC 6184. */
export const H264: Kind = {
  header: 1,
  type: (unit) => unit[0]! & 0x1f,
  aggregate: 24,
  fragment: 28,
  unitHeader: (payload) => Buffer.from([(payload[0]! & 0xe0) | (payload[1]! & 0x1f)]),
  isPicture: (type) => type >= 1 && type <= 5,
  // Cameras that refresh bit by bit send no IDR picture, but their parameters before each point of entry.
  isKey: (type) => type === 5 || type === 7,
  isDisposable: (unit) => (unit[0]! & 0x60) === 0,
}

/** RFC 7798, without `DONL`. */
export const H265: Kind = {
  header: 2,
  type: (unit) => (unit[0]! >> 1) & 0x3f,
  aggregate: 48,
  fragment: 49,
  unitHeader: (payload) => Buffer.from([(payload[0]! & 0x81) | ((payload[2]! & 0x3f) << 1), payload[1]!]),
  isPicture: (type) => type < 32,
  isKey: (type) => (type >= 16 && type <= 21) || type === 33,
  // Which pictures need which depends on layers in time; all are decoded.
  isDisposable: () => false,
}

/** Puts NAL units together to pictures: single units, aggregates, fragments. */
export class NalDepacketizer implements Depacketizer {
  readonly #kind: Kind
  /** Parameter sets of the description, before the first key picture and after each loss. */
  readonly #parameters: readonly Buffer[]
  #pieces: Buffer[] = []
  #bytes = 0
  #timestamp: number | undefined
  #isKey = false
  #isDisposable = true
  #hasPicture = false
  #hasParameters = false
  #isDamaged = false
  /** The header and the pieces of a unit that is not complete. */
  #fragment: Buffer[] | undefined

  constructor(kind: Kind, parameters: readonly Buffer[]) {
    this.#kind = kind
    this.#parameters = parameters
  }

  push({ timestamp, isLast, payload }: RtpPacket, isAfterLoss: boolean): Assembled[] {
    const done: Assembled[] = []
    if (this.#timestamp !== undefined && timestamp !== this.#timestamp) {
      // The packet that ends the picture before is missing, or this sender does not mark the last one.
      done.push(...this.#finish())
    }
    this.#timestamp = timestamp
    if (isAfterLoss) {
      this.#isDamaged = true
      this.#fragment = undefined
    }
    this.#take(payload)
    if (isLast) done.push(...this.#finish())
    return done
  }

  #take(payload: Buffer): void {
    const { header, aggregate, fragment, type: typeOf } = this.#kind
    if (payload.length <= header) return
    const type = typeOf(payload)
    if (type === aggregate) {
      for (let at = header; at + 2 < payload.length; ) {
        const length = payload.readUInt16BE(at)
        if (length === 0 || at + 2 + length > payload.length) {
          this.#isDamaged = true
          return
        }
        this.#add([payload.subarray(at + 2, at + 2 + length)])
        at += 2 + length
      }
    } else if (type === fragment) this.#takeFragment(payload, payload[header]!)
    else this.#add([payload])
  }

  #takeFragment(payload: Buffer, flags: number): void {
    const { header, unitHeader } = this.#kind
    const body = payload.subarray(header + 1)
    if ((flags & 0x80) !== 0) this.#fragment = [unitHeader(payload), body]
    else if (this.#fragment) this.#fragment.push(body)
    else {
      this.#isDamaged = true
      return
    }
    if ((flags & 0x40) === 0) {
      if (this.#fragment.length > 65_536) this.#isDamaged = true
      return
    }
    const pieces = this.#fragment
    this.#fragment = undefined
    this.#add(pieces)
  }

  #add(unit: Buffer[]): void {
    const { type: typeOf, isPicture, isKey, isDisposable } = this.#kind
    const type = typeOf(unit[0]!)
    if (isPicture(type)) {
      this.#hasPicture = true
      if (!isDisposable(unit[0]!)) this.#isDisposable = false
    }
    if (isKey(type)) this.#isKey = true
    if (this.#kind === H264 ? type === 7 : type === 33) this.#hasParameters = true
    const bytes = unit.reduce((sum, { length }) => sum + length, START_CODE.length)
    if (this.#bytes + bytes > MOST_PICTURE_BYTES) {
      this.#isDamaged = true
      return
    }
    this.#bytes += bytes
    this.#pieces.push(START_CODE, ...unit)
  }

  #finish(): Assembled[] {
    if (this.#fragment) this.#isDamaged = true
    const withParameters = this.#isKey && !this.#hasParameters
    const before = withParameters ? this.#parameters.flatMap((set) => [START_CODE, set]) : []
    const unit = this.#hasPicture && {
      timestamp: this.#timestamp!,
      data: Buffer.concat([...before, ...this.#pieces]),
      isKey: this.#isKey,
      isDisposable: this.#isDisposable && !this.#isKey,
      isDamaged: this.#isDamaged,
    }
    // Parameters that come as a "picture" of their own belong to the one that follows.
    if (!unit && !this.#isDamaged) return []
    this.#pieces = []
    this.#bytes = 0
    this.#fragment = undefined
    this.#isKey = this.#hasPicture = this.#hasParameters = this.#isDamaged = false
    this.#isDisposable = true
    return unit ? [unit] : []
  }
}

/** The parameter sets of an SDP attribute `fmtp`, in the order in which decoders want them. */
export function parameterSets(format: Record<string, string>): Buffer[] {
  const lists = [format['sprop-parameter-sets'], format['sprop-vps'], format['sprop-sps'], format['sprop-pps']]
  return lists
    .flatMap((list) => list?.split(',') ?? [])
    .map((text) => Buffer.from(text.trim(), 'base64'))
    .filter(({ length }) => length > 0)
}
