import { readFile } from 'node:fs/promises'
import t from 'tap'
import { Desk } from '../../engine/canvass/mod.js'
import { inspectFeed, readFrames } from '../../engine/feeds/reader.js'
import { platesOfList, saveHotList } from '../../engine/matching/hotlist_store.js'
import { sleep } from '../../engine/pause.js'
import { startTestSystem } from '../servers/system.js'

const FEED = 'bench/feeds/sample.mcap'
const LOOK = { who: 'test' }
t.setTimeout(240_000)

t.test('from the frame to the answer: a car that has just gone by is in the next canvass, and a list finds it by looking back', async (t) => {
  const truth = JSON.parse(await readFile('bench/feeds/sample.truth.json', 'utf8')) as { passes: { camera: string; plate: string | null; first: string; last: string }[] }
  const pass = truth.passes.find(({ plate, first, last }) => plate !== null && Date.parse(last) > Date.parse(first))!
  const info = await inspectFeed(FEED)
  const system = await startTestSystem(t, { cameras: info.cameras })
  const js = system.connection.jetstream()
  const desk = new Desk({ client: system.store.client, database: 'platestream', platesOfList: (id) => platesOfList(js, id) })

  // The car's frames as if they were taken now, one behind the other.
  const [first, last] = [Date.parse(pass.first), Date.parse(pass.last)]
  const began = Date.now()
  let frames = 0
  for await (const { camera, capturedAt, jpeg, headers } of readFrames(FEED)) {
    if (camera !== pass.camera || capturedAt < first || capturedAt > last) continue
    await system.publish({ camera, capturedAt: began + capturedAt - first, jpeg: new Uint8Array(jpeg), headers, id: `live-${frames++}` })
  }
  const sent = Date.now()
  const windows = [{ from: new Date(began - 300_000).toISOString(), to: new Date(began + 300_000).toISOString() }]
  const vehicles = async () => (await desk.ask(LOOK, 'canvass', { windows, places: [{ cameras: [pass.camera] }] }).catch(() => ({ items: [] }))).items as { plate: string; best: { readId: string } }[]
  let found: Awaited<ReturnType<typeof vehicles>> = []
  for (let tries = 0; found.length === 0 && tries < 1_000; tries++) {
    found = await vehicles()
    if (found.length === 0) await sleep(50)
  }
  t.comment(`${frames} frames; in an answer ${Date.now() - sent} ms after the last frame was sent`)
  t.ok(found.length > 0, 'the car is in an answer, though its pass may still be open')

  await system.untilStored(frames)
  const { plate, best } = (await vehicles())[0]!
  await saveHotList(js, { id: 'late', name: 'late', kind: 'hot', priority: 'high', source: 'test', tolerance: 'tolerant', threshold: 0.5 }, [{ plate, reason: 'stolen' }, { plate: '1NEVER1', reason: 'stolen' }])
  const seen = (await desk.ask(LOOK, 'look-back', { windows, list: 'late' })).items as { listedPlate: string; readId: string }[]
  t.same(seen.map(({ listedPlate, readId }) => [listedPlate, readId]), [[plate, best.readId]], 'what a list would have found')
  await t.rejects(desk.ask(LOOK, 'look-back', { windows, list: 'none' }), { code: 'ALPR_ERR_NOT_FOUND' })
  await t.rejects(desk.ask(LOOK, 'look-back', { windows }), { code: 'ALPR_ERR_REQUEST_INVALID' })
  await t.rejects(desk.ask(LOOK, 'look-back', { windows, list: 'late', plates: ['A'] }), { code: 'ALPR_ERR_REQUEST_INVALID' })
})
