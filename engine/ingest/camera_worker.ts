import type { LiveCameraState } from '../model/ingest_status.js'
import type { LiveCamera } from '../model/live_camera.js'
import { readCameraSecret } from '../runtime/camera_secrets.js'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { redact } from '../runtime/redact.js'
import type { Metrics } from '../runtime/metrics.js'
import { reasonOf } from '../errors.js'
import { CameraError } from './camera_error.js'
import { playCamera } from './live_session.js'
import type { OutgoingPicture } from './outgoing.js'
import type { PictureIntake } from './picture_intake.js'
import { ViewWatch } from './view_watch.js'

export interface CameraWorkerOptions {
  camera: string
  live: LiveCamera
  /** Path of the secrets file. */
  secrets: string
  ffmpeg: string | undefined
  metrics: Metrics
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
  onPicture: (picture: OutgoingPicture) => void
}

/** A connection that lasted so long was good: the next pause is the shortest again, ms. */
const STABLE_MS = 30_000
/** Pauses before the next attempt, ms. */
const PAUSE = { firstMs: 500, maxMs: 15_000 } as const
/** Pauses after a refused password, ms: many cameras lock an account after some attempts. */
const LOGIN_PAUSE = { firstMs: 30_000, maxMs: 300_000 } as const

/** Pulls the pictures of one camera, connecting again after growing pauses whenever it ends. */
export class CameraWorker {
  readonly #options: CameraWorkerOptions
  readonly #view = new ViewWatch()
  readonly #ending = new AbortController()
  readonly #running: Promise<void>
  #state: Pick<LiveCameraState, 'state' | 'since' | 'reason' | 'source'> = {
    state: 'connecting',
    since: new Date().toISOString(),
  }
  #intake: PictureIntake | undefined

  constructor(options: CameraWorkerOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** The record that it works by. */
  get live(): LiveCamera {
    return this.#options.live
  }

  get state(): Omit<LiveCameraState, 'spooled'> {
    return { ...(this.#state.state === 'connected' ? this.#intake?.state() : {}), ...this.#state }
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { camera, metrics, log } = this.#options
    const { signal } = this.#ending
    for (let failures = 0; !signal.aborted; failures++) {
      const since = performance.now()
      const reason = await this.#play()
      if (signal.aborted) return
      if (performance.now() - since > STABLE_MS) failures = 0
      metrics.count('camera_failures_total')
      if (this.#state.reason !== reason.message)
        log.warn({ camera, reason: reason.message }, 'a camera sends no pictures, connecting again with growing pauses')
      const { state, since: before } = this.#state
      const isNew = state !== 'failed'
      this.#state = { state: 'failed', since: isNew ? new Date().toISOString() : before, reason: reason.message }
      await sleep(backoffMs(failures, reason.isLogin ? LOGIN_PAUSE : PAUSE), signal)
    }
  }

  /** @returns why it ended */
  async #play(): Promise<CameraError> {
    const { camera, live, secrets, ffmpeg, metrics, log, onPicture } = this.#options
    try {
      const secret = readCameraSecret(secrets, camera)
      const onPlaying = (source: string, intake: PictureIntake) => {
        if (this.#state.state === 'failed') log.info({ camera, source }, 'a camera is back')
        else log.info({ camera, source }, 'a camera is connected')
        this.#intake = intake
        this.#state = { state: 'connected', since: new Date().toISOString(), source }
      }
      const view = this.#view
      await playCamera({ camera, live, secret, ffmpeg, view, metrics, onPicture, onPlaying }, this.#ending.signal)
      return new CameraError('the camera ended the stream')
    } catch (error) {
      return error instanceof CameraError ? error : new CameraError(redact(reasonOf(error)))
    }
  }
}
