import t from 'tap'
import { Intake } from '../../../engine/pipeline/intake.js'
import type { PipelineParts } from '../../../engine/pipeline/pipeline_parts.js'
import type { PoisonGuard } from '../../../engine/pipeline/poison_guard.js'
import { ENTRANCE, framesSubject, streamOf } from '../../../engine/nats/topology.js'
import { FairQueue } from '../../../engine/recognize/fair_queue.js'
import { Metrics } from '../../../engine/runtime/metrics.js'
import { Retry } from '../../../engine/runtime/retry.js'
import type { BehindPosition } from '../../../engine/partition/position.js'
import type { CameraMessage } from '../../../engine/model/capture.js'
import type { Extracted, Source } from '../../../engine/sources/source.js'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'

t.setTimeout(120_000)

const PARTITION = { entrance: ENTRANCE.frames, count: 1, index: 0 }
const NOTHING: Extracted = { observed: [], rejected: [] }

/**
 * One worker; a message says what it costs. It begins with a second message that costs much only while one that costs
 * little waits, or when `little` of them are done: how fast the server delivers decides nothing.
 */
class OneWorker implements Source {
  readonly entrance = ENTRANCE.frames
  readonly rules = { gapMs: 3_000 }
  readonly slots = 4
  readonly workers = 1
  readonly maxUnacknowledged = 10_000
  #queue = new FairQueue<{ message: CameraMessage; resolve(extracted: Extracted): void }>()
  #isBusy = false
  #waitingLittle = 0
  #startedMuch = 0

  constructor(private little: number) {}

  extract(message: CameraMessage): Promise<Extracted> {
    return new Promise((resolve) => {
      this.#queue.push(message.camera, { message, resolve })
      if (costsLittle(message)) this.#waitingLittle += 1
      this.#work()
    })
  }

  #work(): void {
    if (this.#startedMuch > 0 && this.#waitingLittle === 0 && this.little > 0) return
    const next = this.#isBusy ? undefined : this.#queue.shift()
    if (!next) return
    this.#isBusy = true
    const isLittle = costsLittle(next.job.message)
    if (isLittle) this.#waitingLittle -= 1
    else this.#startedMuch += 1
    const ms = msOf(next.job.message)
    setTimeout(() => {
      this.#isBusy = false
      if (isLittle) this.little -= 1
      next.end(ms)
      next.job.resolve(NOTHING)
      this.#work()
    }, ms)
  }

  costOf(camera: string): number {
    return this.#queue.costOf(camera)
  }

  withdraw(message: CameraMessage): boolean {
    return this.#queue.remove(message.camera, (job) => {
      if (job.message !== message) return false
      job.resolve(NOTHING)
      return true
    })
  }

  count(): void {}
}

const msOf = ({ payload }: CameraMessage): number => Number(Buffer.from(payload).toString())
const costsLittle = (message: CameraMessage): boolean => msOf(message) < 10

/** A partition whose streams hold `messages`: what each one of which camera costs, ms. */
async function partitionWith(t: Parameters<typeof startTestNats>[0], messages: [camera: string, ms: number][]) {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const js = connection.jetstream()
  for (const [camera, ms] of messages) await js.publish(framesSubject(camera), String(ms))
  const manager = await connection.jetstreamManager()
  const { created } = await manager.streams.info(streamOf(PARTITION))
  const quiet = { info() {}, warn() {} }
  const parts = { js, manager, metrics: new Metrics(), retry: new Retry(quiet) } as unknown as PipelineParts
  const applied: { camera: string; seq: number }[] = []
  const seqs = new Map<string, number>()
  const littleLeft = () =>
    messages.filter(([, ms]) => ms < 10).length - applied.filter(({ camera }) => camera === 'fast').length
  /** Works on the stream until `enough`; returns where the next tenure begins. */
  const work = async (start: { committed: number; behind: BehindPosition[] }, enough: () => boolean) => {
    const guard = { careful: false, run: (_: number, extract: () => Promise<Extracted>) => extract() }
    const cameras = { workingCount: 2, peek: (camera: string) => ({ seq: seqs.get(camera) ?? 0 }) }
    const ending = new AbortController()
    const intake = new Intake(PARTITION, new OneWorker(littleLeft()), parts, guard as PoisonGuard, cameras, {
      ...start,
      stream: { created, epoch: 1 },
      removedUnread: 0,
    })
    const running = intake.run(ending.signal)
    const applying = (async () => {
      for (let next = await intake.next(); next; next = await intake.next()) {
        const { camera, seq } = next.message
        if (seq > (seqs.get(camera) ?? 0)) applied.push({ camera, seq })
        seqs.set(camera, Math.max(seq, seqs.get(camera) ?? 0))
        next.done()
        intake.window.committed = intake.window.done.seq
      }
    })()
    await until(() => enough(), 60_000)
    const position = { committed: intake.window.done.seq, behind: intake.behind.takePositions() }
    ending.abort()
    await Promise.all([running, applying])
    return { ...position, camerasBehind: intake.behind.size }
  }
  return { applied, work }
}

/** Twenty messages of a camera that costs 100 ms each among three hundred of another that costs 1 ms each. */
const MIXED = Array.from({ length: 320 }, (_, n): [string, number] => (n % 16 === 0 ? ['slow', 100] : ['fast', 1]))

t.test('a camera whose messages take long delays no other, and none of its own is lost', async (t) => {
  const { applied, work } = await partitionWith(t, MIXED)
  let slowBefore = 0
  const end = await work({ committed: 0, behind: [] }, () => {
    if (applied.filter(({ camera }) => camera === 'fast').length === 300) slowBefore ||= applied.length - 300
    return applied.length === MIXED.length
  })
  t.ok(slowBefore <= 5, `${slowBefore} of 20 slow messages were worked on before the last fast one`)
  for (const camera of ['slow', 'fast']) {
    const seqs = applied.filter((one) => one.camera === camera).map(({ seq }) => seq)
    t.same(
      seqs,
      [...seqs].sort((a, b) => a - b),
      `${camera} in stream order`,
    )
  }
  t.equal(new Set(applied.map(({ seq }) => seq)).size, MIXED.length)
  t.match(end, { committed: MIXED.length, behind: [] })
})

t.test('the next tenure goes on where each camera was', async (t) => {
  const { applied, work } = await partitionWith(t, MIXED)
  const isFast = ({ camera }: { camera: string }) => camera === 'fast'
  const first = await work({ committed: 0, behind: [] }, () => applied.filter(isFast).length === 300)
  t.match(first, { behind: [{ camera: 'slow' }] }, 'the slow camera is behind')
  t.ok(first.committed > first.behind[0]!.done, 'the others do not wait for it')
  await work(first, () => applied.length >= MIXED.length)
  t.equal(new Set(applied.map(({ seq }) => seq)).size, MIXED.length, 'every message once')
  t.equal(applied.length, MIXED.length)
})
