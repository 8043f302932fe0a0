import { readFile } from 'node:fs/promises'
import t from 'tap'
import { inspectFeed, readFrames } from '../../engine/feeds/mod.js'
import { platesOfList } from '../../engine/internal_mod.js'
import { saveHotList } from '../../engine/mod.js'
import { ACCESS, testRecords } from '../engine/records/test_records.js'
import { sleep } from '../../engine/runtime/mod.js'
import { startTestSystem } from '../servers/system.js'
import { until } from '../until.js'

const FEED = 'bench/feeds/sample.mcap'
t.setTimeout(240_000)

t.test(
  'a car that has just passed is in the next canvass answer, and a look-back with a new list finds it',
  async (t) => {
    const truth = JSON.parse(await readFile('bench/feeds/sample.truth.json', 'utf8')) as {
      passes: { camera: string; plate: string | null; first: string; last: string }[]
    }
    // Two passing cars: a parked car is in answers long before its last frame. The first car warms up all parts of the
    // system.
    const passes = truth.passes.filter(
      ({ plate, first, last }) =>
        plate !== null && Date.parse(last) > Date.parse(first) && Date.parse(last) - Date.parse(first) < 2_000,
    )
    const camera = passes[0]!.camera
    const info = await inspectFeed(FEED)
    const system = await startTestSystem(t, { cameras: info.cameras })
    const js = system.connection.jetstream()
    const records = testRecords({
      client: system.store.client,
      database: 'platestream',
      platesOfList: (id) => platesOfList(js, id),
    })

    // The start of the engine is not part of the latency.
    await until(() => system.status() !== undefined, 60_000)

    const windows = [
      { from: new Date(Date.now() - 300_000).toISOString(), to: new Date(Date.now() + 300_000).toISOString() },
    ]
    const vehicles = async () =>
      (await records.ask(ACCESS, 'canvass', { windows, places: [{ cameras: [camera] }] }).catch(() => ({ items: [] })))
        .items as { plate: string; best: { readId: string } }[]
    let frames = 0
    for (const pass of passes.filter((one) => one.camera === camera).slice(0, 2)) {
      const before = (await vehicles()).length
      // Publish the frames of the car in real time: published all at once, they would measure the recognizer's backlog.
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
      t.comment(`${frames} frames; in an answer ${Date.now() - sent} ms after the last frame`)
      t.ok(found > before, 'the car is in an answer, although its pass may still be open')
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
    const seen = (await records.ask(ACCESS, 'look-back', { windows, list: 'late' })).items as {
      listedPlate: string
      readId: string
    }[]
    t.same(
      seen.map(({ listedPlate, readId }) => [listedPlate, readId]),
      [[plate, best.readId]],
      'the read that the list would have matched',
    )
    await t.rejects(records.ask(ACCESS, 'look-back', { windows, list: 'none' }), { code: 'ALPR_ERR_NOT_FOUND' })
    await t.rejects(records.ask(ACCESS, 'look-back', { windows }), { code: 'ALPR_ERR_REQUEST_INVALID' })
    await t.rejects(records.ask(ACCESS, 'look-back', { windows, list: 'late', plates: ['A'] }), {
      code: 'ALPR_ERR_REQUEST_INVALID',
    })
  },
)
