/**
 * A read: the stored result of one pass. All times are event time (`Captured-At`), milliseconds since 1970 UTC.
 * `read_id` derives from the stream position of the pass's first detection, so a replay gives the same ids.
 */
export interface Read {
  /**
   * `<FRAMES stream sequence of the first frame>-<index of the detection in it>`, padded so that text order is stream
   * order.
   */
  readId: string
  /** Grows with each better version of the same read (frames voted so far); the store keeps the highest. */
  version: number
  /** This is its only version, ever: its pass has one detection and cannot get another. */
  only?: true
  plate: string
  /** 0..1, calibrated by the model. */
  confidence: number
  alternates: { plate: string; confidence: number }[]
  /** State or country of issue, empty when unknown. */
  region: string
  camera: string
  /**
   * First and last detection. Between versions the first never changes and the last only grows: queries rely on both.
   * When frames come out of order, the first is the one that arrived first.
   */
  ts: number
  tsLast: number
  /** Where the camera was at `ts`; until `tsLast` it was at most 200 m from there. */
  lat: number
  lon: number
  /**
   * Direction of travel, degrees clockwise from north, from the camera's heading and the track, or from the way of a
   * camera that the vehicle drives along with; undefined if unknown.
   */
  heading?: number
  /** From the growth of the plate over the pass. `still`: neither the plate nor the camera moved. */
  direction: 'approaching' | 'leaving' | 'still' | 'unknown'
  /** Frames of the pass in which the plate was detected. */
  frames: number
  /** Quality of the best frame: plate height in pixels; sharpness, contrast and share of blown-out pixels, 0..1. */
  quality: { heightPx: number; sharpness: number; contrast: number; glare: number }
  /** The plate, and the frame that shows it best, reduced (CAN-3). */
  crop?: CropRef
  picture?: CropRef
  /**
   * Ids that make the read reproducible: WASM module, model, the hot lists in force (digest of their versions), and the
   * recorded feed it came from (empty for a live camera).
   */
  module: string
  model: string
  lists: string
  feed: string
  /**
   * Per position the probabilities of `0-9A-Z` and 'none' (37 values), voted over the pass. Not stored; for matching.
   */
  positions: Float32Array[]
}

/** Address of a picture in the append-only segment files, one folder a week. */
export interface CropRef {
  segment: string
  /** Byte offset of the record and its length, both in bytes. */
  offset: number
  length: number
}

/** Where the gateway serves a picture. A record of the segment files never changes, so an address does not either. */
export const pictureAddress = ({ segment, offset, length }: CropRef): string =>
  `/api/crops/${encodeURIComponent(segment)}/${offset}/${length}`
