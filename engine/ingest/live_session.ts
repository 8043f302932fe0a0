import type { LiveCamera } from '../model/live_camera.js'
import type { CameraSecret } from '../runtime/camera_secrets.js'
import { redact } from '../runtime/redact.js'
import type { Metrics } from '../runtime/metrics.js'
import type { Login } from './authorization.js'
import { CameraError } from './camera_error.js'
import { playHttp } from './http_stream.js'
import { PictureIntake } from './picture_intake.js'
import type { OutgoingPicture } from './outgoing.js'
import { RtspStream } from './rtsp_stream.js'
import { RtspVideo } from './rtsp_video.js'
import type { ViewWatch } from './view_watch.js'

export interface LiveSessionOptions {
  camera: string
  live: LiveCamera
  secret: CameraSecret | undefined
  /** Path of ffmpeg; undefined where it is missing. */
  ffmpeg: string | undefined
  view: ViewWatch
  metrics: Metrics
  onPicture: (picture: OutgoingPicture) => void
  /** @param source as in the status */
  onPlaying: (source: string, intake: PictureIntake) => void
}

/** Pictures a second, if the record does not say. */
const DEFAULT_FPS = { stream: 5, snapshot: 1 } as const

/**
 * One connection to a camera, until it ends or `signal` aborts.
 * @throws CameraError why it ended
 */
export async function playCamera(options: LiveSessionOptions, signal: AbortSignal): Promise<void> {
  const { camera, live, view, metrics, onPicture } = options
  const url = addressOf(live, options.secret)
  const common = { url, login: loginOf(url, options.secret), anyCertificate: live.tls === 'any' }
  const intakeAt = (fps: number) =>
    new PictureIntake({ camera, fps: live.fps ?? fps, motionGate: live.motionGate ?? true, view, metrics, onPicture })
  if (url.protocol.startsWith('http')) {
    let intake: PictureIntake | undefined
    return playHttp(
      {
        ...common,
        pollMs: 1_000 / (live.fps ?? DEFAULT_FPS.snapshot),
        onPlaying: (kind) => {
          intake = intakeAt(kind === 'snapshot' ? (live.fps ?? DEFAULT_FPS.snapshot) * 2 : DEFAULT_FPS.stream)
          options.onPlaying(kind, intake)
        },
        onPicture: (jpeg, arrival, cameraMs) => {
          const capturedAt = intake?.admit(arrival, { camera: cameraMs })
          if (capturedAt !== undefined) intake?.take(jpeg, capturedAt)
        },
        onRepeated: () => metrics.count('frames_repeated_total'),
      },
      signal,
    )
  }
  let video: RtspVideo | undefined
  const failed = new AbortController()
  try {
    await RtspStream.play(
      {
        ...common,
        transport: live.transport ?? 'tcp',
        onUnit: (unit, arrival, cameraMs) => video?.take(unit, arrival, cameraMs),
        onLoss: () => metrics.count('packets_lost_total'),
      },
      ({ codec }) => {
        const intake = intakeAt(DEFAULT_FPS.stream)
        const onEnded = (reason: string) => failed.abort(new CameraError(reason))
        video = RtspVideo.open({ codec, intake, metrics, ffmpeg: options.ffmpeg, onEnded })
        options.onPlaying(codec.toLowerCase(), intake)
      },
      AbortSignal.any([signal, failed.signal]),
    )
    if (failed.signal.aborted && !signal.aborted) throw failed.signal.reason
  } finally {
    video?.close()
  }
}

/** The whole address of a camera; the one in the secrets file counts as long as it is the same but for its secrets. */
function addressOf(live: LiveCamera, secret: CameraSecret | undefined): URL {
  return new URL(secret?.url !== undefined && redact(secret.url) === live.url ? secret.url : live.url)
}

function loginOf(url: URL, secret: CameraSecret | undefined): Login | undefined {
  if (secret?.user !== undefined) return { user: secret.user, password: secret.password ?? '' }
  return url.username === ''
    ? undefined
    : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
}
