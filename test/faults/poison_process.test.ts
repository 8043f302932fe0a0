import sharp from 'sharp'
import t from 'tap'
import { MAIN_ST } from '../engine/passes/plates.js'
import { startTestSystem } from '../servers/system.js'
import { poisoned } from './feed.js'

t.setTimeout(200_000)

/** Two crashes before the poison guard acts, three while it narrows down the frame, and two to spare. */
const kMaxCrashes = 7
const T0 = Date.UTC(2026, 0, 5, 12)

t.test(
  'a frame that crashes the engine every time becomes a dead letter, and the frames behind it are read',
  async (t) => {
    const jpeg = new Uint8Array(
      await sharp({ create: { width: 640, height: 360, channels: 3, background: '#777' } })
        .jpeg()
        .toBuffer(),
    )
    const system = await startTestSystem(t, {
      cameras: [MAIN_ST],
      engine: false,
      env: {
        NODE_OPTIONS: `--import ${new URL('./preload.js', import.meta.url).href}`,
        PLATESTREAM_ENGINE_WORKERS: '1',
        PLATESTREAM_LOG_LEVEL: 'silent',
      },
    })
    for (let n = 0; n < 6; n++)
      await system.publish({
        camera: MAIN_ST.id,
        capturedAt: T0 + n * 1_000,
        jpeg: n === 3 ? poisoned(jpeg, 'POISON_PROCESS') : jpeg,
      })
    let crashes = 0
    const stored = system.untilStored(6, 180_000)
    let done = false
    void stored
      .finally(() => {
        done = true
      })
      .catch(() => {})
    while (!done && crashes <= kMaxCrashes) {
      await system.startEngine()
      await Promise.race([system.engineExited(), stored])
      if (!done) crashes++
    }
    await stored
    t.ok(crashes >= 2 && crashes <= 5, `the engine crashed ${crashes} times`)
    const dead = await system.dead()
    t.match(dead, [
      {
        reason: 'ALPR_ERR_FRAME_CRASHED',
        camera: MAIN_ST.id,
        headers: { 'Dead-Message': /ended 3 times while it had this frame and no other/ },
      },
    ])
    t.equal(dead.length, 1, 'no other frame is a dead letter')
    t.match(await system.rows('SELECT sum(frames_in) AS f, sum(dead) AS d FROM platestream.ledger FINAL'), [
      { f: '6', d: '1' },
    ])
  },
)
