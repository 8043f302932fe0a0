import type { CropRef } from './read.js'

/** One position that a match tolerated: the character that was read, the listed one, and how probable that is. */
export interface Tolerated {
  /** 0-based position in the listed plate. */
  position: number
  /** Empty when the listed character is missing in the read; `listed` is empty when the read has an extra one. */
  read: string
  listed: string
  probability: number
}

/**
 * A hit: a read that may match a hot-list entry. Always 'possible' until a person verifies it (HIT-1, HIT-2).
 * This is the JSON on stream HITS (`hits.<list>.<camera>`) and, with `seq` added, on the WebSocket.
 */
export interface Hit {
  /**
   * `<readId>.<list>.<entry plate>`: the same pass and entry always give the same id. A vehicle that a moving camera
   * follows keeps the id, `readId` and `ts` of its first read; place, picture and `tsLast` are those of the latest.
   */
  hitId: string
  /** 1, 2, ... for each update under the same id; only the highest counts. */
  revision: number
  state: 'possible' | 'withdrawn'
  readId: string
  /** As read by the camera; never rewritten to the listed plate. */
  plate: string
  confidence: number
  alternates: { plate: string; confidence: number }[]
  region: string
  /** As written on the list. */
  listedPlate: string
  list: string
  listName: string
  /** Digest of the list's content, and when it was loaded (RFC 3339): every hit shows the age of its list. */
  listVersion: string
  listLoadedAt: string
  reason: string
  priority: 'high' | 'medium' | 'low' | 'informational'
  exact: boolean
  /** Probability that the plate on the road is the listed one. */
  probability: number
  tolerated: Tolerated[]
  camera: string
  cameraName: string
  lat: number
  lon: number
  heading?: number
  direction: string
  /** Event time of the first detection, and of the frame that made the hit: RFC 3339. */
  ts: string
  tsLast: string
  /** When the engine published this revision (RFC 3339, wall clock): only for the displayed delay. */
  publishedAt: string
  crop?: CropRef
  /** Picture of the vehicle: the whole frame, reduced. */
  picture?: CropRef
  module: string
  model: string
}
