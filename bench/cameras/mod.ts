import { headers } from 'nats'
import { CheckpointLog, CameraStates, partitionsOf, ENTRANCE } from '../../engine/internal_mod.js'
import {
  CameraRegistry,
  connectNats,
  detectionsSubject,
  HEADER,
  partitionsNow,
  type EngineStatus,
} from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { defineBenchmark, number, type Values } from '../benchmark.js'
import { lower, type Measured } from '../report/result.js'
import { PublishWindow } from '../system/publish_window.js'
import { untilStored } from '../system/ledger.js'
import { withSystem, type BenchSystem } from '../system/system.js'
import { slowLink } from './slow_link.js'

const kGoalSeconds = 10
const kGoalBytes = 1_024
/** Cameras that stopped sending are put away after this, ms (CameraStates). */
const kSettleMs = 95_000

const OPTIONS = {
  known: number(100_000, 'cameras that are registered and have sent once', 1),
  active: number(20_000, 'of these, cameras that go on sending, each with a vehicle in view', 1),
  interval: number(5, 'seconds between two messages of an active camera', 1),
  seconds: number(30, 'length of the part in which they send', 5),
  link: number(1, 'delay of the link to NATS in each direction during the take-over, ms'),
}

export const benchmark = defineBenchmark({
  question: `How much does a camera cost that is known, and one that is active? How long does another engine take to
    take over all of them?`,
  method: `The whole system (platestream up) on this machine. Each known camera sends one detection; the engine's memory
    before, and after they were put away, gives the bytes of an idle camera. Then the active ones send a vehicle that
    stays in view, and the bytes of the checkpoint logs are counted. At last this process reads the checkpoints of all
    partitions and rebuilds the states, as another engine would, over a link with a delay.`,
  options: OPTIONS,
  goals: [
    `take-over of all active cameras: within ${kGoalSeconds} s`,
    `memory of an idle camera: at most ${kGoalBytes} bytes`,
  ],
  run: (values) => withSystem((system) => measure(system, values)),
})

const idOf = (n: number) => `cam-${n}`

async function measure(system: BenchSystem, values: Values<typeof OPTIONS>): Promise<Measured> {
  const { known, active, interval, seconds, link } = values
  const start = Date.now()
  const empty = await memoryOf(system)
  await registerAll(system, known)
  await untilStored(system.store, await sendAll(system, known, start))
  const before = await memoryOf(system)
  await sleep(kSettleMs)
  const idle = await memoryOf(system)
  const written = await bytesWritten(system)
  const rounds = Math.max(1, Math.round(seconds / interval))
  for (let round = 1; round <= rounds; round++) {
    const began = performance.now()
    await sendAll(system, active, start + round * interval * 1_000)
    await sleep(Math.max(0, interval * 1_000 - (performance.now() - began)))
  }
  await untilStored(system.store, known + rounds * active)
  const bytes = (await bytesWritten(system)) - written
  const takeOver = await readAll(system, link)
  return {
    workload: { known, active, interval, seconds, link, partitions: takeOver.partitions, states: takeOver.states },
    figures: [
      lower('take-over of all states', takeOver.seconds, 's', kGoalSeconds),
      lower('memory of an idle camera', (idle - empty) / known, 'bytes', kGoalBytes),
      lower('engine memory, all known cameras just heard', before / 2 ** 20, 'MiB'),
      lower('engine memory, all put away', idle / 2 ** 20, 'MiB'),
      lower('checkpoint bytes a message of an active camera', bytes / (rounds * active), 'bytes'),
      lower('state of an active camera, as text', takeOver.chars / active, 'bytes'),
    ],
    panels: [
      {
        kind: 'bars',
        title: 'take-over, seconds by partition',
        unit: 's',
        bars: takeOver.times.map((value, partition) => ({ label: String(partition), value })),
      },
    ],
  }
}

async function registerAll(system: BenchSystem, count: number): Promise<void> {
  const registry = await CameraRegistry.open(system.connection)
  const window = new PublishWindow()
  for (let n = 0; n < count; n++) {
    window.add(
      registry.put({
        id: idOf(n),
        name: idOf(n),
        kind: 'fixed',
        lat: 38 + (n % 300) / 300,
        lon: -121 - n / count,
        heading: 0,
        agency: 'bench',
      }),
    )
    const wait = window.room(256)
    if (wait) await wait
  }
  await window.drained()
}

/** One message of each camera, a vehicle that stays where it is. @returns how many */
async function sendAll(system: BenchSystem, cameras: number, time: number): Promise<number> {
  const js = system.connection.jetstream()
  const window = new PublishWindow()
  const quad = '[[600,400],[720,400],[720,460],[600,460]]'
  for (let n = 0; n < cameras; n++) {
    const plate = `7AB${String(n % 10_000).padStart(4, '0')}`
    const body = `{"capturedAt":"${new Date(time).toISOString()}","plate":"${plate}","confidence":0.95,"quad":${quad}}`
    const header = headers()
    header.set(HEADER.msgId, `${idOf(n)}-${time}`)
    window.add(js.publish(detectionsSubject(idOf(n)), body, { headers: header, timeout: 30_000 }))
    const wait = window.room(256)
    if (wait) await wait
  }
  await window.drained()
  return cameras
}

async function statusOf(system: BenchSystem): Promise<EngineStatus> {
  for await (const message of system.connection.subscribe('status.engine.*', { max: 1 }))
    return message.json<EngineStatus>()
  throw new Error('no engine reports')
}

/** Memory of the engine, bytes. */
const memoryOf = async (system: BenchSystem): Promise<number> => (await statusOf(system)).gauges.memory_bytes ?? 0

/** Bytes that the engine has written to checkpoint logs. */
const bytesWritten = async (system: BenchSystem): Promise<number> =>
  (await statusOf(system)).counters.checkpoint_bytes_total ?? 0

/** Reads the checkpoints of all partitions of detections, as another engine would. */
async function readAll(system: BenchSystem, delayMs: number) {
  const { partitions } = await partitionsNow(system.connection)
  const link = await slowLink(system.nats.url, delayMs)
  const connection = await connectNats({ url: link.url, token: system.nats.token, name: 'bench take-over' })
  const manager = await connection.jetstreamManager({ timeout: 30_000 })
  const js = connection.jetstream()
  const started = performance.now()
  const read = await Promise.all(
    partitionsOf(ENTRANCE.detections, partitions).map(async (partition) => {
      const log = await CheckpointLog.open(js, manager, partition)
      const states = new CameraStates(log.cameras, { gapMs: 3_000 }, performance.now())
      let chars = 0
      for (const { camera } of states.all()) chars += log.cameras.get(camera)!.length
      return { states: states.size, chars, seconds: (performance.now() - started) / 1_000 }
    }),
  )
  const seconds = (performance.now() - started) / 1_000
  await connection.close()
  link.close()
  return {
    partitions,
    seconds,
    times: read.map((one) => one.seconds),
    states: read.reduce((sum, one) => sum + one.states, 0),
    chars: read.reduce((sum, one) => sum + one.chars, 0),
  }
}
