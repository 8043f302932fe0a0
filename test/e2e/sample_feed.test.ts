import { readFile } from 'node:fs/promises'
import t from 'tap'
import { inspectFeed, readFrames } from '../../engine/feeds/mod.js'
import { readHotListFile, saveHotList } from '../../engine/mod.js'
import { startTestSystem } from '../servers/system.js'

const FEED = 'bench/feeds/sample.mcap'

interface Truth {
  passes: { camera: string; plate: string | null; first: string; last: string }[]
  hits: { camera: string; plate: string; list: string; listed: string; match: 'exact' | 'tolerant' }[]
}

interface StoredRead {
  plate: string
  camera: string
  ts: string
  ts_last: string
  confidence: number
}

t.setTimeout(280_000)

t.test('the sample feed, published to real servers, gives the reads and hits of its ground truth', async (t) => {
  const truth = JSON.parse(await readFile('bench/feeds/sample.truth.json', 'utf8')) as Truth
  const info = await inspectFeed(FEED)
  const system = await startTestSystem(t, { cameras: info.cameras, engine: false })
  const js = system.connection.jetstream()
  for (const id of ['stolen-vehicles', 'be-on-lookout', 'special-interest']) {
    const kind = id === 'special-interest' ? 'special' : 'hot'
    await saveHotList(
      js,
      { id, name: id, kind, priority: 'high', source: 'demo', tolerance: 'tolerant', threshold: 0.5 },
      (await readHotListFile({ file: `bench/feeds/hotlists/${id}.csv` })).entries,
    )
  }
  await system.startEngine()
  let frames = 0
  const closing = new Map<string, Uint8Array>()
  for await (const { camera, capturedAt, jpeg, headers, index } of readFrames(FEED)) {
    await system.publish({ camera, capturedAt, jpeg, headers, id: `feed-${index}` })
    closing.set(camera, new Uint8Array(jpeg))
    frames += 1
  }
  // A frame one hour later closes the open passes. What it shows is a new pass, which stays open.
  for (const [camera, jpeg] of closing)
    await system.publish({ camera, capturedAt: info.end + 3_600_000, jpeg, id: `close-${camera}` })
  await system.untilStored(frames + closing.size, 240_000)

  const rows = await system.rows<StoredRead>(
    'SELECT plate, camera, ts, ts_last, confidence FROM platestream.reads FINAL ORDER BY ts',
  )
  const stored = rows.filter((read) => Date.parse(read.ts) <= info.end)
  const plates = truth.passes.filter((pass) => pass.plate !== null)
  const readsOf = (pass: Truth['passes'][number]) =>
    stored.filter(
      (read) =>
        read.camera === pass.camera &&
        read.plate === pass.plate &&
        Date.parse(read.ts) <= Date.parse(pass.last) &&
        Date.parse(read.ts_last) >= Date.parse(pass.first),
    )
  const right = plates.filter((pass) => readsOf(pass).length > 0)
  const missed = plates
    .filter((pass) => readsOf(pass).length === 0)
    .map((pass) => `${pass.camera} ${String(pass.plate)}`)
  t.comment(
    `${right.length} of ${plates.length} passes read exactly; ${stored.length} reads; missed: ${missed.join(', ')}`,
  )
  t.ok(right.length >= MIN_EXACT * plates.length, `${right.length} of ${plates.length} passes are read exactly`)
  const doubled = right.filter((pass) => readsOf(pass).length > 1)
  t.same(
    doubled.map((pass) => pass.plate),
    [],
    'no vehicle is read twice',
  )

  const hits = (await system.hits()).filter((hit) => Date.parse(hit.ts) <= info.end)
  const found = new Set(hits.map((hit) => `${hit.camera} ${hit.list} ${hit.listedPlate}`))
  const expected = truth.hits.filter((hit) =>
    right.some((pass) => pass.camera === hit.camera && pass.plate === hit.plate),
  )
  for (const hit of expected.filter((one) => one.match === 'exact'))
    t.ok(found.has(`${hit.camera} ${hit.list} ${hit.listed}`), `hit ${hit.listed} on ${hit.list}`)
  const wanted = new Set(truth.hits.map((hit) => `${hit.camera} ${hit.list} ${hit.listed}`))
  t.same(
    [...found].filter((hit) => !wanted.has(hit)),
    [],
    'every hit is in the ground truth',
  )
  t.match(
    hits
      .filter((hit) => hit.list === 'special-interest')
      .map((hit) => hit.priority)
      .filter((priority) => priority !== 'informational'),
    [],
    'hits of a special list are informational',
  )
})

/** Least share of exact reads, to catch regressions; docs/status.md has the measured share. */
const MIN_EXACT = 0.7
