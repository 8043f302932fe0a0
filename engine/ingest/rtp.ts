import type { RtpPacket } from './access_unit.js'

/** @returns undefined for what is no RTP packet */
export function parseRtp(bytes: Buffer): RtpPacket | undefined {
  if (bytes.length < 12 || bytes[0]! >> 6 !== 2) return undefined
  let start = 12 + (bytes[0]! & 0x0f) * 4
  if ((bytes[0]! & 0x10) !== 0) {
    if (bytes.length < start + 4) return undefined
    start += 4 + bytes.readUInt16BE(start + 2) * 4
  }
  const padding = (bytes[0]! & 0x20) !== 0 ? bytes[bytes.length - 1]! : 0
  if (start + padding > bytes.length) return undefined
  return {
    isLast: (bytes[1]! & 0x80) !== 0,
    payloadType: bytes[1]! & 0x7f,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    payload: bytes.subarray(start, bytes.length - padding),
  }
}

/** What a sender says about its clock: at `ntpMs` (ms since 1970) its timestamps were at `timestamp`. */
export interface SenderReport {
  ntpMs: number
  timestamp: number
}

/** Seconds from 1900 to 1970. */
const NTP_EPOCH_S = 2_208_988_800

/** The sender report of a compound RTCP packet, if it has one with a time. */
export function parseSenderReport(bytes: Buffer): SenderReport | undefined {
  for (let at = 0; at + 8 <= bytes.length; ) {
    if (bytes[at]! >> 6 !== 2) return undefined
    const length = (bytes.readUInt16BE(at + 2) + 1) * 4
    if (bytes[at + 1] === 200 && length >= 28 && at + 28 <= bytes.length) {
      const seconds = bytes.readUInt32BE(at + 8)
      // A camera without a clock sends zero.
      if (seconds === 0) return undefined
      // From 2036 on the seconds begin again at zero.
      const since1970 = seconds - NTP_EPOCH_S + (seconds < NTP_EPOCH_S ? 4_294_967_296 : 0)
      const fraction = bytes.readUInt32BE(at + 12) / 4_294_967_296
      return { ntpMs: (since1970 + fraction) * 1_000, timestamp: bytes.readUInt32BE(at + 16) }
    }
    at += length
  }
  return undefined
}

/** A receiver report without a block, and a name: it tells the camera that somebody listens. */
export function receiverReport(ssrc: number): Buffer {
  const bytes = Buffer.alloc(24)
  bytes.set([0x80, 201, 0, 1])
  bytes.writeUInt32BE(ssrc, 4)
  bytes.set([0x81, 202, 0, 3], 8)
  bytes.writeUInt32BE(ssrc, 12)
  bytes.set([1, 6], 16)
  bytes.write('ingest', 18, 'latin1')
  return bytes
}

/** Continues the 32 bits of a timestamp: of all values the one that is nearest to the last. */
export class Unwrapper {
  #last: number | undefined

  next(value: number): number {
    this.#last = this.#last === undefined ? value : this.near(value)
    return this.#last
  }

  /** The same, without remembering it. */
  near(value: number): number {
    const last = this.#last ?? value
    const difference = (value - last) | 0
    return last + difference
  }
}

/** Most packets that wait for one that is missing. */
const MOST_WAITING = 128

/** Packets that come over UDP, in order. One that is missing is given up after some that follow it. */
export class ReorderBuffer {
  readonly #waiting = new Map<number, RtpPacket>()
  #next: number | undefined
  #isAfterLoss = false
  #late = 0

  /** Packets that came after they had been given up, or twice. */
  get late(): number {
    return this.#late
  }

  /**
   * @param patience how many packets may wait for a missing one; 0 when packets cannot overtake each other
   * @returns what is next, in order
   */
  push(packet: RtpPacket, patience: number): { packet: RtpPacket; isAfterLoss: boolean }[] {
    const ahead = this.#next === undefined ? 0 : ((packet.sequence - this.#next) << 16) >> 16
    if (ahead < 0 && ahead > -1_000) {
      this.#late++
      return []
    }
    if (ahead < 0 || ahead > 10_000) {
      // The sender began again.
      this.#waiting.clear()
      this.#isAfterLoss = true
      this.#next = packet.sequence
    }
    this.#next ??= packet.sequence
    this.#waiting.set(packet.sequence, packet)
    const ready: { packet: RtpPacket; isAfterLoss: boolean }[] = []
    for (;;) {
      const next = this.#waiting.get(this.#next)
      if (next) {
        this.#waiting.delete(this.#next)
        ready.push({ packet: next, isAfterLoss: this.#isAfterLoss })
        this.#isAfterLoss = false
      } else if (this.#waiting.size > Math.min(patience, MOST_WAITING)) this.#isAfterLoss = true
      else return ready
      this.#next = (this.#next + 1) & 0xffff
    }
  }
}
