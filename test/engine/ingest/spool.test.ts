import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { Spool } from '../../../engine/ingest/spool.js'

const root = mkdtempSync(join(tmpdir(), 'platestream-spool-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))
const picture = (camera: string, capturedAt: number, bytes = 100) => ({
  camera,
  capturedAt,
  jpeg: Buffer.alloc(bytes, capturedAt),
})

t.test('pictures leave in the order of their camera, only when they are removed', async (t) => {
  const spool = new Spool(join(root, 'a'), 10_000)
  for (const time of [5, 6, 7]) t.ok(spool.add(picture('gate-1', time)))
  t.ok(spool.add(picture('gate-2', 1)))
  t.same(spool.cameras, ['gate-1', 'gate-2'])
  t.same(spool.oldest('gate-1'), picture('gate-1', 5))
  t.same(spool.oldest('gate-1'), picture('gate-1', 5))
  spool.remove(picture('gate-1', 5))
  t.same(spool.oldest('gate-1'), picture('gate-1', 6))
  t.match(spool, { bytes: 300 })
  t.same([spool.count('gate-1'), spool.count('gate-2'), spool.count('gate-3')], [2, 1, 0])
})

t.test('the next process takes up what is there, and only what is whole', async (t) => {
  const folder = join(root, 'b')
  const first = new Spool(folder, 10_000)
  for (const time of [900, 1_000, 1_100]) first.add(picture('gate-1', time))
  writeFileSync(join(folder, 'gate-1', '1200.jpg.new'), 'half')
  mkdirSync(join(folder, 'Not a camera'))
  const next = new Spool(folder, 10_000)
  t.equal(next.count('gate-1'), 3)
  t.equal(next.oldest('gate-1')?.capturedAt, 900)
  t.same(readdirSync(join(folder, 'gate-1')).sort(), ['1000.jpg', '1100.jpg', '900.jpg'])
  t.equal(statSync(join(folder, 'gate-1', '900.jpg')).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
})

t.test('a full spool refuses new pictures and keeps what it holds', async (t) => {
  const spool = new Spool(join(root, 'c'), 250)
  t.same(
    [1, 2, 3].map((time) => spool.add(picture('gate-1', time))),
    [true, true, false],
  )
  t.equal(spool.oldest('gate-1')?.capturedAt, 1)
  spool.remove(picture('gate-1', 1))
  t.ok(spool.add(picture('gate-1', 4)))
})

t.test('a file that somebody deleted is passed over', async (t) => {
  const folder = join(root, 'd')
  const spool = new Spool(folder, 1_000)
  for (const time of [1, 2]) spool.add(picture('gate-1', time))
  rmSync(join(folder, 'gate-1', '1.jpg'))
  t.equal(spool.oldest('gate-1')?.capturedAt, 2)
  t.equal(spool.bytes, 100)
})
