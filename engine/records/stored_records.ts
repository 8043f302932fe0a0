import type { Hit } from '../model/hit.js'
import type { CropRef } from '../model/read.js'
import type { Scope } from '../store/scope.js'

/** Stored plate data behind the gate: the store, or memory in tests. All lists are newest first. */
export interface StoredRecords {
  /** @throws ALPR_ERR_STORE_UNAVAILABLE */
  ping(): Promise<void>
  reads(query: ReadsQuery, scope: Scope): Promise<Page<ReadRecord>>
  hits(query: HitsQuery, scope: Scope): Promise<Page<HitRecord>>
  ledger(query: LedgerQuery, scope: Scope): Promise<Page<LedgerEntry>>
  /** The JPEG at a place in the segment files. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_CROP_CORRUPT */
  picture(ref: CropRef): Promise<Uint8Array>
  close(): Promise<void>
}

export interface Page<T> {
  items: T[]
  /** Hand it back as `before` for the next page; absent on the last one. */
  next?: string
}

export interface ReadsQuery {
  /** 1 to 1000. */
  limit: number
  before?: string
  camera?: string
  /** As it was read, normalised: upper case letters and digits. */
  plate?: string
}

export interface HitsQuery {
  limit: number
  before?: string
  list?: string
}

export interface LedgerQuery {
  /** 1 to 4999. */
  limit: number
  before?: string
  /** Event time, milliseconds: `[from, to)`. */
  from: number
  to: number
  camera?: string
}

/** A stored read. Times are RFC 3339. */
export interface ReadRecord {
  readId: string
  version: number
  plate: string
  confidence: number
  alternates: { plate: string; confidence: number }[]
  region: string
  camera: string
  /** As the registry has it now; empty for a camera that is gone. */
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

export type HitRecord = Hit

export interface LedgerEntry {
  camera: string
  /** Start of the hour, RFC 3339. */
  hour: string
  framesIn: number
  withReads: number
  withoutPlate: number
  dead: number
}
