import t, { type Test } from 'tap'
import { existsSync } from 'node:fs'
import { inspectFeed, readFrames } from '../../engine/feeds/mod.js'
import { SegmentReader } from '../../engine/internal_mod.js'
import { dataPaths, type Hit, loadSettings, saveHotList } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { until } from '../until.js'
import { startTestSystem, type TestFrame, type TestSystem } from '../servers/system.js'

const FEED = 'bench/feeds/sample.mcap'
/** Seconds of the feed to publish, enough for a dozen passes. */
const SECONDS = 20
const KILLS = 10

/**
 * What must not depend on how often the engine dies. Ids are without the minute in which the stream was created;
 * wall-clock times and the locations of pictures are left out.
 */
interface Outcome {
  reads: Record<string, unknown>[]
  hits: Record<string, unknown>[]
  ledger: Record<string, unknown>[]
}

t.setTimeout(280_000)

t.test(
  `after kill -9 of the engine at ${KILLS} random moments, every read and every hit exists exactly once`,
  { skip: existsSync(FEED) ? false : `${FEED} does not exist` },
  async (t) => {
    const frames = await framesToPlay()
    const reference = await play(t, frames, 20, async () => {})

    const seed = Date.now() % 1_000_000
    t.comment(`seed ${seed}`)
    const random = randomFrom(seed)
    // Slow enough that frames still arrive after the last kill.
    const killed = await play(t, frames, 150, async (system, done) => {
      for (let i = 0; i < KILLS; i++) {
        // Every third kill comes at any moment, also while the engine starts; the others while it processes frames.
        if (i % 3 !== 2) await untilWorking(system)
        await sleep(1_500 * random())
        t.comment(
          `kill ${i + 1} with ${done()} of ${frames.length} frames published, ` +
            `${appliedBy(system)} applied since the start`,
        )
        await system.stopEngine('SIGKILL')
        await system.startEngine()
      }
    })
    t.ok(reference.reads.length > 5, `${reference.reads.length} reads`)
    t.ok(reference.hits.length > 0, `${reference.hits.length} hits`)
    t.same(killed.reads, reference.reads, 'the same reads, bit for bit')
    t.same(killed.hits, reference.hits, 'the same hits')
    t.same(killed.ledger, reference.ledger, 'the same ledger')
  },
)

/** Publishes the frames to a new system while `disturb` runs. @returns the outcome */
async function play(
  t: Test,
  frames: TestFrame[],
  pauseMs: number,
  disturb: (system: TestSystem, published: () => number) => Promise<void>,
): Promise<Outcome> {
  const { cameras } = await inspectFeed(FEED)
  const system = await startTestSystem(t, { cameras, engine: false })
  const plates = await listedPlates()
  await saveHotList(
    system.connection.jetstream(),
    {
      id: 'stolen',
      name: 'Stolen',
      kind: 'hot',
      priority: 'high',
      source: 'test',
      tolerance: 'tolerant',
      threshold: 0.5,
    },
    plates.map((plate) => ({ plate, reason: 'stolen vehicle' })),
  )
  await system.startEngine()

  let published = 0
  const publishing = (async () => {
    for (const frame of frames) {
      await system.publish(frame)
      published += 1
      await sleep(pauseMs)
    }
  })()
  await Promise.all([publishing, disturb(system, () => published)])
  await system.untilStored(frames.length, 120_000)
  // The last frame of each camera is an hour later and closes every pass. When the ledger has it, its epoch is stored.
  const reads = await system.rows<
    Record<string, unknown> & {
      crop_segment: string
      crop_offset: string
      crop_length: number
      picture_gap: string
      picture_length: number
      read_id: string
    }
  >('SELECT * EXCEPT (counts) FROM platestream.reads FINAL ORDER BY read_id')
  t.equal(new Set(reads.map((read) => read.read_id)).size, reads.length, 'no read is stored twice')
  const crops = new SegmentReader(
    dataPaths(loadSettings({ env: {}, overrides: { dataFolder: system.dataFolder } })).crops,
  )
  for (const read of reads) {
    const jpeg = await crops.read({
      segment: read.crop_segment,
      offset: Number(read.crop_offset),
      length: read.crop_length,
    })
    // The full frame follows the crop.
    const picture = await crops.read({
      segment: read.crop_segment,
      offset: Number(read.crop_offset) + read.crop_length + Number(read.picture_gap),
      length: read.picture_length,
    })
    for (const one of [jpeg, picture])
      if (one.readUInt16BE(0) !== 0xffd8) t.fail(`a picture of ${String(read.plate)} is not a JPEG`)
  }
  const hits = await system.hits()
  const revisions = hits.map((hit) => `${hit.hitId} ${hit.revision}`)
  t.equal(new Set(revisions).size, revisions.length, 'no hit revision is published twice')
  t.same(await system.dead(), [], 'there are no dead letters')
  await system.stopEngine('SIGTERM')
  // The closing frames show plates too; whether their passes are stored yet, as idle ones, depends on the clock.
  const closing = Math.min(...frames.filter(({ id }) => id?.endsWith('-close')).map((one) => Number(one.capturedAt)))
  const closed = reads.filter(({ ts }) => Date.parse(String(ts)) < closing)
  return {
    reads: closed.map(
      ({
        read_id,
        crop_segment: _a,
        crop_offset: _b,
        crop_length: _c,
        picture_gap: _d,
        picture_length: _e,
        ...rest
      }) => ({ id: shortId(read_id), ...rest }),
    ),
    hits: lastRevisions(hits).map(
      ({ hitId, state, plate, listedPlate, list, camera, ts, tsLast, direction, probability }) => {
        const [read, ...key] = hitId.split('.')
        return {
          id: [shortId(read!), ...key].join('.'),
          state,
          plate,
          listedPlate,
          list,
          camera,
          ts,
          tsLast,
          direction,
          probability,
        }
      },
    ),
    ledger: await system.rows(
      `SELECT camera, hour, sum(frames_in) AS f, sum(with_reads) AS r, sum(without_plate) AS w, sum(dead) AS d
       FROM platestream.ledger FINAL GROUP BY camera, hour ORDER BY camera, hour`,
    ),
  }
}

/** Frames that the current engine process has applied; the status of the previous process does not count. */
function appliedBy(system: TestSystem): number {
  const status = system.status()
  return status && Date.parse(status.at) > system.engineStartedAt ? (status.counters.frames_total ?? 0) : 0
}

async function untilWorking(system: TestSystem): Promise<void> {
  await until(() => appliedBy(system) > 0, 60_000)
}

async function framesToPlay(): Promise<TestFrame[]> {
  const info = await inspectFeed(FEED)
  const frames: TestFrame[] = []
  const last = new Map<string, TestFrame>()
  for await (const { camera, capturedAt, jpeg, headers, index } of readFrames(FEED)) {
    if (capturedAt > info.start + SECONDS * 1_000) continue
    const frame = { camera, capturedAt, jpeg: new Uint8Array(jpeg), headers, id: `feed-${index}` }
    frames.push(frame)
    last.set(camera, frame)
  }
  for (const frame of last.values())
    frames.push({ ...frame, capturedAt: Number(frame.capturedAt) + 3_600_000, id: `${frame.id}-close` })
  return frames
}

/** Every plate in the ground truth of the feed, so that every good read becomes a hit. */
async function listedPlates(): Promise<string[]> {
  const { readFile } = await import('node:fs/promises')
  const truth = JSON.parse(await readFile('bench/feeds/sample.truth.json', 'utf8')) as {
    passes: { plate: string | null }[]
  }
  return [...new Set(truth.passes.map((pass) => pass.plate).filter((plate): plate is string => plate !== null))]
}

/** Last revision of each hit, ordered by id. */
function lastRevisions(hits: Hit[]): Hit[] {
  const last = new Map<string, Hit>()
  for (const hit of hits) if ((last.get(hit.hitId)?.revision ?? 0) < hit.revision) last.set(hit.hitId, hit)
  return [...last.values()].sort((a, b) => (a.hitId < b.hitId ? -1 : 1))
}

const shortId = (readId: string): string => (BigInt(readId) & 0xff_ffff_ffffn).toString()

function randomFrom(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
