import { readFile } from 'node:fs/promises'
import t from 'tap'
import { inspectFeed, readFrames } from '../../engine/feeds/mod.js'
import { CanvassService, platesOfList, saveHotList } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { startTestSystem } from '../servers/system.js'

const FEED = 'bench/feeds/sample.mcap'
const LOOK = { who: 'test' }
t.setTimeout(240_000)

t.test(
  'from the frame to the answer: a car that has just gone by is in the next canvass, and a list finds it by looking back',
  async (t) => {
    const truth = JSON.parse(await readFile('bench/feeds/sample.truth.json', 'utf8')) as {
      passes: { camera: string; plate: string | null; first: string; last: string }[]
    }
    // Two that drive by (of a parked car an earlier version is in answers long before its last frame). With the first
    // all parts of the system begin to work.
    const passes = truth.passes.filter(
      ({ plate, first, last }) =>
        plate !== null && Date.parse(last) > Date.parse(first) && Date.parse(last) - Date.parse(first) < 2_000,
    )
    const camera = passes[0]!.camera
    const info = await inspectFeed(FEED)
    const system = await startTestSystem(t, { cameras: info.cameras })
    const js = system.connection.jetstream()
    const desk = new CanvassService({
      client: system.store.client,
      database: 'platestream',
      platesOfList: (id) => platesOfList(js, id),
    })

    // The engine's own start is no part of a frame's way.
    while (!system.status()) await sleep(50)

    const windows = [
      { from: new Date(Date.now() - 300_000).toISOString(), to: new Date(Date.now() + 300_000).toISOString() },
    ]
    const vehicles = async () =>
      (await desk.ask(LOOK, 'canvass', { windows, places: [{ cameras: [camera] }] }).catch(() => ({ items: [] })))
        .items as { plate: string; best: { readId: string } }[]
    let frames = 0
    for (const pass of passes.filter((one) => one.camera === camera).slice(0, 2)) {
      const before = (await vehicles()).length
      // The car's frames as if they were taken now, each at its time: all at once, the recognizer's backlog would be
      // measured.
      const [first, last] = [Date.parse(pass.first), Date.parse(pass.last)]
      const began = Date.now()
      for await (const { camera: of, capturedAt, jpeg, headers } of readFrames(FEED)) {
        if (of !== camera || capturedAt < first || capturedAt > last) continue
        await sleep(Math.max(0, began + capturedAt - first - Date.now()))
        await system.publish({
          camera,
          capturedAt: began + capturedAt - first,
          jpeg: new Uint8Array(jpeg),
          headers,
          id: `live-${frames++}`,
        })
      }
      const sent = Date.now()
      let found = before
      for (let tries = 0; found <= before && tries < 1_000; tries++) {
        found = (await vehicles()).length
        if (found <= before) await sleep(50)
      }
      t.comment(`${frames} frames; in an answer ${Date.now() - sent} ms after the last frame was sent`)
      t.ok(found > before, 'the car is in an answer, though its pass may still be open')
    }

    await system.untilStored(frames)
    const { plate, best } = (await vehicles())[0]!
    await saveHotList(
      js,
      {
        id: 'late',
        name: 'late',
        kind: 'hot',
        priority: 'high',
        source: 'test',
        tolerance: 'tolerant',
        threshold: 0.5,
      },
      [
        { plate, reason: 'stolen' },
        { plate: '1NEVER1', reason: 'stolen' },
      ],
    )
    const seen = (await desk.ask(LOOK, 'look-back', { windows, list: 'late' })).items as {
      listedPlate: string
      readId: string
    }[]
    t.same(
      seen.map(({ listedPlate, readId }) => [listedPlate, readId]),
      [[plate, best.readId]],
      'what a list would have found',
    )
    await t.rejects(desk.ask(LOOK, 'look-back', { windows, list: 'none' }), { code: 'ALPR_ERR_NOT_FOUND' })
    await t.rejects(desk.ask(LOOK, 'look-back', { windows }), { code: 'ALPR_ERR_REQUEST_INVALID' })
    await t.rejects(desk.ask(LOOK, 'look-back', { windows, list: 'late', plates: ['A'] }), {
      code: 'ALPR_ERR_REQUEST_INVALID',
    })
  },
)
