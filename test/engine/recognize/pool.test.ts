import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { AlprError } from '../../../engine/errors.js'
import { RecognizerPool } from '../../../engine/recognize/pool.js'
import { until } from '../../until.js'
import { jpeg } from './pictures.js'

/** The entry point of a worker that dies on its next `frames` frames and then works. */
function crashing(t: Test, frames: number): URL {
  process.env.CRASH_COUNT_FILE = join(t.testdir({ count: String(frames) }), 'count')
  return new URL('./crashing_worker.js', import.meta.url)
}

const small = await jpeg(320, 200)
const large = await jpeg(1280, 720)

t.test('every frame is answered, in any order, with its own size', async (t) => {
  const pool = await RecognizerPool.create({ workers: 2 })
  t.teardown(() => pool.close())
  t.equal(pool.slots, 2)
  t.match(pool.module, /^[0-9a-f]{16}$/)
  t.match(pool.model, /^[0-9a-f]{16}$/)
  const frames = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? large : small))
  const answers = await Promise.all(frames.map((frame) => pool.recognize(frame)))
  answers.forEach((answer, i) => t.equal(answer.width, i % 3 === 0 ? 1280 : 320))
  t.ok(
    answers.every((a) => a.ms.decode > 0 && a.ms.recognize > 0 && a.ms.find + a.ms.read <= a.ms.recognize + 0.01),
    'where the time went',
  )
  t.equal(pool.pending, 0)
  t.equal(small[0], 0xff, 'the caller keeps its bytes')
})

t.test('a frame that does not decode is rejected with its code, and the worker continues', async (t) => {
  const pool = await RecognizerPool.create({ workers: 1 })
  t.teardown(() => pool.close())
  const [a, b, c, d] = await Promise.allSettled([
    pool.recognize(new Uint8Array(0)),
    pool.recognize(Buffer.from('text')),
    pool.recognize(small.subarray(0, 500)),
    pool.recognize(small),
  ])
  t.match(a, { reason: { code: 'ALPR_ERR_FRAME_EMPTY' } })
  t.match(b, { reason: { code: 'ALPR_ERR_FRAME_NOT_JPEG' } })
  t.match(c, { reason: { code: 'ALPR_ERR_FRAME_TRUNCATED' } })
  t.equal(d.status, 'fulfilled')
})

t.test('a frame that takes too long is rejected, the others are not', async (t) => {
  const replaced: string[] = []
  const pool = await RecognizerPool.create({ workers: 1, timeoutMs: 1, onReplaced: (reason) => replaced.push(reason) })
  t.teardown(() => pool.close())
  await t.rejects(pool.recognize(large), { code: 'ALPR_ERR_FRAME_TIMEOUT' })
  t.equal(replaced.length, 2, 'it was tried twice')
  await t.rejects(pool.recognize(large), { code: 'ALPR_ERR_FRAME_TIMEOUT' }, 'the new worker took the next frame')
})

t.test('a pause of the whole process says nothing about the frame in work', async (t) => {
  const entry = new URL('./slow_worker.js', import.meta.url)
  const pool = await RecognizerPool.create({ workers: 1, timeoutMs: 600, entry })
  t.teardown(() => pool.close())
  const answer = pool.recognize(small)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
  t.match(await answer, { width: 320 })
})

t.test('while no worker starts, frames wait and the reason is reported', async (t) => {
  const file = (process.env.BROKEN_FILE = join(t.testdir({}), 'broken'))
  const stuck: (string | undefined)[] = []
  const entry = new URL('./unstartable_worker.js', import.meta.url)
  const pool = await RecognizerPool.create({ workers: 1, entry, onStuck: (reason) => stuck.push(reason) })
  t.teardown(() => pool.close())
  writeFileSync(file, '')
  const [first, second] = [pool.recognize(small), pool.recognize(large)]
  // Five starts, each of which may take seconds on a busy machine.
  await until(() => stuck.at(-1) !== undefined, 60_000)
  t.match(stuck.at(-1), /recognition threads do not start/)
  rmSync(file)
  t.match(await first, { width: 320 })
  t.match(await second, { width: 1280 })
  t.equal(stuck.at(-1), undefined)
})

t.test('a worker that dies is replaced, and its frame is retried once', async (t) => {
  const replaced: string[] = []
  const pool = await RecognizerPool.create({
    workers: 1,
    onReplaced: (reason) => replaced.push(reason),
    entry: crashing(t, 1),
  })
  t.teardown(() => pool.close())
  const answers = await Promise.all([pool.recognize(small), pool.recognize(large), pool.recognize(small)])
  t.same(
    answers.map((a) => a.width),
    [320, 1280, 320],
    'no frame is lost',
  )
  t.equal(replaced.length, 1)
})

t.test('a frame that kills two workers is rejected', async (t) => {
  const pool = await RecognizerPool.create({ workers: 1, entry: crashing(t, 2) })
  t.teardown(() => pool.close())
  const [first, second] = await Promise.allSettled([pool.recognize(small), pool.recognize(large)])
  t.match(first, { status: 'rejected', reason: { code: 'ALPR_ERR_FRAME_CRASHED' } })
  t.match(second, { status: 'fulfilled' })
})

t.test('a pool that cannot start reports why', async (t) => {
  await t.rejects(RecognizerPool.create({ workers: 1, model: new Uint8Array(64) }), { code: 'ALPR_ERR_MODEL_INVALID' })
  await t.rejects(RecognizerPool.create({ workers: 1, wasm: new Uint8Array(64) }), { code: 'ALPR_ERR_MODEL_INVALID' })
})

t.test('the queue is bounded, and closing rejects queued frames', async (t) => {
  const pool = await RecognizerPool.create({ workers: 1, queue: 2 })
  const ends = Promise.allSettled(Array.from({ length: 5 }, () => pool.recognize(large)))
  await pool.close()
  const codes = (await ends).map((end) => (end.status === 'rejected' ? (end.reason as AlprError).code : 'answered'))
  t.ok(
    codes.every((code) => code === 'ALPR_ERR_INTERNAL' || code === 'answered'),
    codes.join(),
  )
  t.equal(codes[4], 'ALPR_ERR_INTERNAL', 'it holds one in work and two queued')
  await t.rejects(pool.recognize(small), { code: 'ALPR_ERR_INTERNAL' })
})
