import type { IngestStatus, LiveCameraState } from '../../engine/mod.js'
import { aborted, type NatsTask } from '../live/nats_link.js'
import type { LiveCameraFault } from '../live/protocol.js'
import { FRESH_MS } from './status_board.js'
import type { RegistryMirror } from './registry_mirror.js'

/** A process silent for this long has been taken out of service and is forgotten, ms. */
const FORGET_MS = 600_000
/** Processes remembered; more are ignored, because something else must be publishing on these subjects. */
const MAX_PROCESSES = 64
/** A camera that was added, or whose process starts, may take this long to be pulled, ms. */
const GRACE_MS = 15_000
/** A connected camera whose last frame is older gives none, ms, or three of its steps. */
const SILENT_MS = 10_000

/** The last status of every ingest process. Follows `status.ingest.*`. */
export class IngestBoard {
  readonly #processes = new Map<string, { status: IngestStatus; arrived: number }>()
  /** Since when each live camera is pulled by nobody: wall clock, ms. */
  #alone = new Map<string, number>()

  constructor(
    private readonly registry: Pick<RegistryMirror, 'cameras'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  readonly task: NatsTask = async (nats, signal) => {
    const subscription = nats.subscribe('status.ingest.*', {
      callback: (error, message) => {
        if (error) return
        try {
          this.put(message.json<IngestStatus>())
        } catch {
          /* not a status: the process will count as silent */
        }
      },
    })
    await aborted(signal)
    subscription.unsubscribe()
  }

  put(status: IngestStatus): void {
    const isObject = (value: unknown) => typeof value === 'object' && value !== null
    if (typeof status?.instance !== 'string' || ![status.cameras, status.counters, status.gauges].every(isObject))
      return
    const now = this.now()
    for (const [instance, { arrived }] of this.#processes)
      if (now - arrived > FORGET_MS) this.#processes.delete(instance)
    if (!this.#processes.has(status.instance) && this.#processes.size >= MAX_PROCESSES) return
    this.#processes.set(status.instance, { status, arrived: now })
  }

  /** The last status of each process that is not silent. */
  fresh(): IngestStatus[] {
    const now = this.now()
    return [...this.#processes.values()].filter(({ arrived }) => now - arrived < FRESH_MS).map(({ status }) => status)
  }

  /** What is wrong with live cameras, in the order of their ids. @param at wall clock, ms */
  faults(at = Date.now()): LiveCameraFault[] {
    const live = this.registry.cameras().filter((camera) => camera.live)
    const states = new Map(this.fresh().flatMap(({ cameras }) => Object.entries(cameras)))
    const alone = live.filter(({ id }) => !states.has(id))
    this.#alone = new Map(alone.map(({ id }) => [id, this.#alone.get(id) ?? at]))
    return live.flatMap(({ id, name, live: record }) => {
      const state = states.get(id)
      const fault = state ? faultOf(state, record?.fps, at) : this.#aloneFault(id, at)
      return fault ? [{ id, name, ...fault }] : []
    })
  }

  #aloneFault(id: string, at: number): Pick<LiveCameraFault, 'reason' | 'since'> | undefined {
    const since = this.#alone.get(id) ?? at
    if (at - since < GRACE_MS) return undefined
    return { reason: 'no ingest process pulls it', since: new Date(since).toISOString() }
  }
}

const VIEW_TEXT: Record<string, string> = {
  blocked: 'its view is covered, dark or white',
  blurred: 'its picture is blurred',
  moved: 'it shows another view than before',
}

function faultOf(
  { state, since, reason, lastFrameAt, view }: LiveCameraState,
  fps: number | undefined,
  at: number,
): Pick<LiveCameraFault, 'reason' | 'since'> | undefined {
  if (state === 'failed') return { reason: reason ?? 'it sends no pictures', since }
  if (state === 'connecting')
    return at - Date.parse(since) > GRACE_MS ? { reason: 'it does not answer', since } : undefined
  const last = Math.max(Date.parse(since), lastFrameAt === undefined ? 0 : Date.parse(lastFrameAt))
  if (at - last > SILENT_MS + 3_000 / (fps ?? 1))
    return { reason: 'it is connected, and gives no picture', since: new Date(last).toISOString() }
  const [fault] = view ?? []
  return fault === undefined ? undefined : { reason: VIEW_TEXT[fault] ?? 'its view is impaired', since }
}

/** One sentence for people, without a full stop. */
export const cameraFaultText = ({ id, reason, since }: LiveCameraFault): string =>
  `camera ${id}: ${reason}, since ${since}`

/** Counters and gauges of ingest processes and their cameras as Prometheus text, `alpr_ingest_<name>`. */
export function ingestMetrics(statuses: readonly IngestStatus[]): string {
  const families = new Map<string, { type: string; lines: string[] }>()
  const add = (type: string, name: string, labels: string, value: unknown) => {
    if (typeof value !== 'number' || !/^[a-z][a-zA-Z0-9_]{0,80}$/.test(name)) return
    const family = families.get(name) ?? { type, lines: [] }
    families.set(name, family)
    family.lines.push(`alpr_ingest_${name}{${labels}} ${value}`)
  }
  for (const { instance, counters, gauges, cameras } of statuses) {
    const process = `instance="${label(instance)}"`
    for (const [name, value] of Object.entries(counters).slice(0, 200)) add('counter', name, process, value)
    for (const [name, value] of Object.entries(gauges).slice(0, 200)) add('gauge', name, process, value)
    for (const [id, camera] of Object.entries(cameras)) {
      const labels = `${process},camera="${label(id)}"`
      add('gauge', 'camera_connected', labels, Number(camera.state === 'connected'))
      add('gauge', 'camera_fps', labels, camera.fps)
      add('gauge', 'camera_sent_fps', labels, camera.cameraFps)
      if (camera.lastFrameAt) add('gauge', 'camera_last_frame_seconds', labels, Date.parse(camera.lastFrameAt) / 1_000)
      if (camera.clockOffsetMs !== undefined)
        add('gauge', 'camera_clock_offset_seconds', labels, camera.clockOffsetMs / 1_000)
      for (const fault of ['blocked', 'blurred', 'moved'] as const)
        add('gauge', `camera_${fault}`, labels, Number(camera.view?.includes(fault) ?? false))
      add('gauge', 'camera_spooled_frames', labels, camera.spooled)
    }
  }
  return [...families]
    .map(([name, { type, lines }]) => `# TYPE alpr_ingest_${name} ${type}\n${lines.join('\n')}\n`)
    .join('')
}

const label = (text: string): string => text.replace(/["\\\n]/g, '_').slice(0, 64)
