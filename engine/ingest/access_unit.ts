/** The coded picture of one instant, as it comes out of RTP. */
export interface AccessUnit {
  /** Time of its presentation by the stream's own clock, ms, from an unknown beginning; it does not wrap. */
  streamMs: number
  /** A JPEG file, or NAL units with start codes. */
  data: Buffer
  /** Decoding may begin here. */
  isKey: boolean
  /** No other picture needs it. */
  isDisposable: boolean
  /** Packets are missing. */
  isDamaged: boolean
}

/** A packet of RTP (RFC 3550) without its header. */
export interface RtpPacket {
  /** Of its source; 16 bits. */
  sequence: number
  /** 32 bits, in units of the stream's clock. */
  timestamp: number
  /** The last packet of its picture. */
  isLast: boolean
  payloadType: number
  payload: Buffer
}

/** A picture with the timestamp of its packets. */
export type Assembled = Omit<AccessUnit, 'streamMs'> & { timestamp: number }

/** Puts the payloads of one kind of RTP together to pictures. */
export interface Depacketizer {
  /** @param isAfterLoss packets before this one are missing */
  push(packet: RtpPacket, isAfterLoss: boolean): Assembled[]
}

/** A camera does not send a picture of more bytes; memory stays bounded. */
export const MOST_PICTURE_BYTES = 16_777_216
