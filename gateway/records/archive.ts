import type { CropRef, Hit } from '../../engine/mod.js'
import type { Page } from '../http/cursor.js'

/** What the gateway reads from the store. All lists are newest first. */
export interface Archive {
  /** @throws ALPR_ERR_STORE_UNAVAILABLE */
  ping(): Promise<void>
  reads(query: ReadsQuery): Promise<Page<ArchivedRead>>
  hits(query: HitsQuery): Promise<Page<ArchivedHit>>
  ledger(query: LedgerQuery): Promise<LedgerEntry[]>
  /** The JPEG of a crop. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_CROP_CORRUPT */
  crop(ref: CropRef): Promise<Uint8Array>
  close(): Promise<void>
}

export interface ReadsQuery {
  /** 1 to 1000. */
  limit: number
  before?: string
  camera?: string
  /** The plate as read, normalised: upper-case letters and digits. */
  plate?: string
}

export interface HitsQuery {
  limit: number
  before?: string
  list?: string
}

export interface LedgerQuery {
  /** Event time, milliseconds: `[from, to)`. */
  from: number
  to: number
  camera?: string
}

/** A stored read. Times are RFC 3339. */
export interface ArchivedRead {
  readId: string
  version: number
  plate: string
  confidence: number
  alternates: { plate: string; confidence: number }[]
  region: string
  camera: string
  /** The name now in the registry; empty for a camera that no longer exists. */
  cameraName?: string
  ts: string
  tsLast: string
  lat: number
  lon: number
  heading?: number
  direction: string
  frames: number
  crop?: CropRef
  module: string
  model: string
}

export type ArchivedHit = Hit

export interface LedgerEntry {
  camera: string
  /** Start of the hour, RFC 3339. */
  hour: string
  framesIn: number
  withReads: number
  withoutPlate: number
  dead: number
}
