import type { Quad } from '../../wasm/mod.js'
import type { OwnPictures } from '../model/observation.js'
import type { Hit } from '../model/hit.js'
import type { CropRef, Read } from '../model/read.js'
import type { Box } from './geometry.js'
import type { Trail } from './trail.js'
import type { VoteJson } from './vote.js'

/** The detection that shows the plate best so far: the pictures are made from its frame. */
export interface BestView {
  /** Sequence of its frame; undefined without a frame, and then there will be no pictures. */
  seq?: number
  ts: number
  /** Plate height in pixels x sharpness x confidence x absence of glare; only its order matters. */
  merit: number
  /** Where the plate is in its frame; missing without a frame, and once the pictures are made. */
  quad?: Quad
  /** In place of it, of a camera that reads plates itself: which of its own pictures show the vehicle and its plate. */
  pictures?: OwnPictures
  quality: Read['quality']
}

/** The last published revision of a hit of this pass. Part of the checkpoint, so revisions continue after a restart. */
export interface PublishedHit {
  revision: number
  state: 'possible' | 'withdrawn'
  /** Read that this revision was made of, and its frames then. `readId` is missing in the state of an older release. */
  readId?: string
  frames: number
  /** The text that it showed, of a pass with reports. */
  plate?: string
  /** What it said about the list: a withdrawal repeats it, even when the entry no longer exists. */
  listed: Pick<Hit, 'listName' | 'listVersion' | 'listLoadedAt' | 'reason' | 'priority'>
}

/** The passes that a pass continues: of a vehicle that a moving camera followed. */
export interface Followed {
  /** Id and first detection of the first of them: the hits of the vehicle keep them. */
  readId: string
  ts: number
  /** Detections in all of them: they are in the vote. */
  frames: number
}

/** What a camera reported of a vehicle, and when. */
export interface Reported {
  ts: number
  plate: string
  confidence: number
  region: string
  alternates: { plate: string; confidence: number }[]
}

/** A pass that is still open: one vehicle passing one camera. Plain data, written to the checkpoint as it is. */
export interface PassState {
  readId: string
  /**
   * The detection that arrived first: it gives the read its id, time and place. Width 0 and no box mean that the camera
   * did not say where in its picture the plate was.
   */
  first: { ts: number; lat: number; lon: number; width: number; box?: Box }
  /** The earliest detection, when one that arrived later is earlier than `first`. */
  start?: { ts: number; box?: Box; width: number }
  /** The latest detection; `at` is where the camera was, if that was not the position of `first`. */
  last: { ts: number; box?: Box; width: number; at?: { lat: number; lon: number } }
  /** Before `last`. Missing in the state of an older release. */
  trail?: Trail
  /** Greatest distance of the camera from its position at `first`, metres; missing when it did not move. */
  movedM?: number
  followed?: Followed
  /** When its last detection arrived on the stream, ms. Missing in the state of an older release. */
  arrivedAt?: number
  /** When it was last matched against the lists: frames of the pass, event time of the last one. */
  checked?: { frames: number; ts: number }
  /** The camera's own name for the vehicle, if it gives one. */
  track?: string
  /** The latest report of the camera about the vehicle: it counts alone. */
  reported?: Reported
  /** The camera has reported that it sees the vehicle no more. */
  lost?: true
  /** Pixels per millisecond, smoothed; unknown until the second detection. */
  velocity?: { x: number; y: number }
  heading?: number
  speed?: number
  feed: string
  frames: number
  /** Sum of logit(confidence) of the detections by their text: at most 8 texts, the rarest is dropped. */
  texts: Record<string, { frames: number; logits: number }>
  /** Sum of the confidences of each region. */
  regions: Record<string, number>
  best: BestView
  /** By `<list>.<listed plate>`. */
  hits: Record<string, PublishedHit>
  /** Frames and event time of the last detection when it was last put into the store; missing before the first time. */
  stored?: { frames: number; ts: number }
  /** The frame of the best view, when no picture can be made of it. */
  pictureless?: number
  /** The pictures made last, and the frame they were made from. */
  pictures?: { seq: number; crop: CropRef; picture: CropRef }
}

/** A pass in a checkpoint. */
export interface PassJson {
  state: PassState
  vote: VoteJson
  /** `MemberTimes`; missing in the state of an older release, and when there is one detection. */
  members?: Uint8Array
}
