import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CameraRegistry, type EngineStatus } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { defineBenchmark, number, type Values } from '../benchmark.js'
import { lower, type Measured } from '../report/result.js'
import { xorshift } from '../random/xorshift.js'
import { PublishWindow } from '../system/publish_window.js'
import { untilStored } from '../system/ledger.js'
import { withSystem, type BenchSystem } from '../system/system.js'
import { engineMemoryLeft, environmentFor } from './engine_memory_left.js'
import { idOf, sendEach, Street } from './street.js'
import { takeOverAll } from './take_over_all.js'

const kGoalSeconds = 10
const kGoalBytes = 1_024
/** The cost of a camera is reckoned from what memory grows by beyond this share of them: then caches are warm. */
const kWarmShare = 0.05
/** Cameras that stopped sending are put away within this time, ms (CameraStates, Checkpointer). */
const kSettleMs = 95_000
/** A goal of the project is reckoned to this many active cameras. */
const kReckoned = 100_000

const OPTIONS = {
  known: number(100_000, 'cameras that are registered and have sent', 1),
  vehicles: number(4, 'vehicles that each of them has seen; the last one parks in its view', 1),
  active: number(20_000, 'of these, cameras that go on sending', 1),
  interval: number(5, 'seconds between two messages of an active camera', 1),
  seconds: number(60, 'length of the part in which they send', 5),
  link: number(1, 'delay of the link to NATS in each direction during the take-over, ms'),
}

export const benchmark = defineBenchmark({
  question: `How much does a camera cost that is known, and one that is active? How long does another engine take to
    take over all of them?`,
  method: `The whole system (platestream up) on this machine. Each known camera reports some vehicles that pass, and one
    that parks in its view; then it is silent until it is put away. The memory of an idle camera is what the engine's
    memory grows by, each time after a collection of garbage, from a twentieth of the cameras to all of them: registry,
    states, all that the engine keeps of a camera. Then the active ones report vehicles that drive through, each in
    three messages, and the bytes of the checkpoint logs are counted. Right after the last message this process reads
    the checkpoints of all partitions and rebuilds the states, as another engine would, over a link with a delay.`,
  options: OPTIONS,
  goals: [
    `take-over of all active cameras: within ${kGoalSeconds} s`,
    `memory of an idle camera: at most ${kGoalBytes} bytes`,
  ],
  async run(values) {
    const folder = await mkdtemp(join(tmpdir(), 'platestream-memory-'))
    try {
      return await withSystem((system) => measure(system, folder, values), environmentFor(folder))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
})

async function measure(system: BenchSystem, folder: string, values: Values<typeof OPTIONS>): Promise<Measured> {
  const { known, vehicles, active, interval, seconds, link } = values
  const street = new Street(xorshift(1))
  const report = async (from: number, to: number) => {
    await register(system, from, to)
    await sendEach(system, from, to, () => street.parked(Date.now(), vehicles))
  }
  const warm = Math.ceil(known * kWarmShare)
  await report(0, warm)
  await untilStored(system.store, warm * vehicles)
  await sleep(kSettleMs)
  const before = await engineMemoryLeft(system, folder)
  await report(warm, known)
  await untilStored(system.store, known * vehicles)
  await sleep(kSettleMs)
  const idle = await engineMemoryLeft(system, folder)
  const perCamera = (bytes: number) => bytes / (known - warm)

  const rounds = Math.max(1, Math.round(seconds / interval))
  const written = await bytesWritten(system)
  const started = performance.now()
  for (let round = 0; round < rounds; round++) {
    const due = started + round * interval * 1_000
    await sleep(Math.max(0, due - performance.now()))
    await sendEach(system, 0, active, (n) => street.passing(n, Date.now()))
  }
  await untilStored(system.store, known * vehicles + rounds * active)
  const bytes = (await bytesWritten(system)) - written
  const messages = rounds * active
  const takeOver = await takeOverAll(system, link)
  return {
    workload: { ...values, partitions: takeOver.times.length, cameras: takeOver.cameras, loaded: takeOver.loaded },
    figures: [
      lower('take-over of all cameras', takeOver.seconds, 's', kGoalSeconds),
      lower('memory of an idle camera', perCamera(idle.heap - before.heap), 'bytes', kGoalBytes),
      lower('resident memory of an idle camera', perCamera(idle.resident - before.resident), 'bytes'),
      lower('state of an idle camera with a parked vehicle', takeOver.idleBytes, 'bytes'),
      lower('state of an active camera', takeOver.loadedBytes, 'bytes'),
      lower('checkpoint bytes a message of an active camera', bytes / messages, 'bytes'),
      lower(
        `checkpoint bytes a second, reckoned to ${kReckoned} active cameras`,
        ((bytes / messages) * (kReckoned / interval)) / 2 ** 20,
        'MiB',
      ),
      lower('engine memory, all cameras put away', idle.resident / 2 ** 20, 'MiB'),
    ],
    panels: [
      {
        kind: 'bars',
        title: 'take-over, seconds by partition',
        unit: 's',
        bars: takeOver.times.map((value, partition) => ({ label: String(partition), value })),
      },
      {
        kind: 'bars',
        title: 'memory of an idle camera with a parked vehicle',
        unit: 'bytes',
        bars: [
          { label: 'state', value: takeOver.idleBytes },
          { label: 'all, after collection', value: perCamera(idle.heap - before.heap) },
          { label: 'resident', value: perCamera(idle.resident - before.resident) },
        ],
      },
    ],
  }
}

async function register(system: BenchSystem, from: number, to: number): Promise<void> {
  const registry = await CameraRegistry.open(system.connection)
  const window = new PublishWindow()
  for (let n = from; n < to; n++) {
    window.add(
      registry.put({
        id: idOf(n),
        name: idOf(n),
        kind: 'fixed',
        lat: 38 + (n % 300) / 300,
        lon: -121 - n / 1e6,
        heading: 0,
        agency: 'bench',
      }),
    )
    const wait = window.room(256)
    if (wait) await wait
  }
  await window.drained()
}

/** Bytes that the engine has written to checkpoint logs. */
async function bytesWritten(system: BenchSystem): Promise<number> {
  for await (const message of system.connection.subscribe('status.engine.*', { max: 1 }))
    return message.json<EngineStatus>().counters.checkpoint_bytes_total ?? 0
  throw new Error('no engine reports')
}
