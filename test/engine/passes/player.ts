import type { Camera } from '../../../engine/model/camera.js'
import type { Capture } from '../../../engine/model/capture.js'
import type { Read } from '../../../engine/model/read.js'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { CameraPasses, type CameraJson } from '../../../engine/passes/camera_passes.js'
import type { OpenPass } from '../../../engine/passes/pass.js'
import { contentDigest } from '../../../engine/passes/recent_messages.js'
import type { Detection } from '../../../wasm/mod.js'
import { frameOf, MAIN_ST } from './plates.js'

export const RULES = { gapMs: 3_000 }
export const IDS = { module: 'm', model: 'n', lists: 'l' }
export const T0 = Date.UTC(2026, 0, 5, 12)

/** A frame of a test: its time in ms after `T0`, what it shows, and where its camera is if it moves. */
export interface Shot {
  ms: number
  detections: Detection[]
  position?: { lat: number; lon: number }
  /** Names its read ids. Two frames with one name are one frame that is sent twice. @default its place in the stream */
  name?: string
}

/** Applies frames to one camera, as the pipeline does, and collects its reads. */
export class Player {
  readonly closed: OpenPass[] = []
  /** Passes that a frame touched, in order. */
  readonly touched: OpenPass[] = []
  readonly bounds: string[] = []
  /** Detections that changed nothing, and messages that were known. */
  repeated = 0
  private seq = 0

  constructor(
    public camera: CameraPasses = CameraPasses.empty('main-st', RULES),
    private readonly record: Camera = MAIN_ST,
  ) {}

  play(shots: readonly Shot[]): this {
    for (const shot of shots) this.step(shot)
    return this
  }

  /** Saves the state of the camera and resumes from it. */
  restart(): this {
    this.camera = CameraPasses.fromJSON(unpack(pack(this.camera)) as CameraJson, RULES)
    return this
  }

  /** The last version of each read, of all passes, closed and open, by time. */
  get reads(): Read[] {
    const versions = [...this.closed, ...this.camera.changeable()].map((pass) => pass.toRead(this.record, IDS))
    return [...new Map(versions.map((read) => [read.readId, read])).values()].sort(
      (a, b) => a.ts - b.ts || (a.readId < b.readId ? -1 : 1),
    )
  }

  private step({ ms, detections, position, name }: Shot): void {
    this.seq += 1
    const capture: Capture = { ...frameOf(this.seq, T0 + ms, this.record), ...position }
    const label = name ?? String(this.seq)
    const payload = Buffer.from(JSON.stringify([label, ms]))
    const digest = contentDigest({ header: () => new Date(capture.capturedAt).toISOString(), payload })
    if (!this.camera.isNew(digest, capture.capturedAt)) return void this.repeated++
    const done = this.camera.advance(capture, detections, (index) => `${label}-${index}`)
    this.closed.push(...done.closed)
    this.touched.push(...done.touched)
    this.bounds.push(...done.bounds)
    this.repeated += done.repeated
  }
}
