import { test } from 'tap'
import { Window } from '../../../engine/pipeline/window.js'

/** A window in which messages 1 to `count` are in work. */
const full = (count: number) => {
  const window = new Window(count, { seq: 0 })
  return { window, done: Array.from({ length: count }, (_, n) => window.push({ seq: n + 1, arrivedAt: 1_000 + n })) }
}

test('a caller that needs room for several is woken when that many fit', async (t) => {
  const { window, done } = full(4)
  let free: number | undefined
  const waiting = window.whenFree(2).then((room) => {
    free = room
  })
  done[0]!()
  await new Promise(setImmediate)
  t.equal(free, undefined, 'room for one is not enough')
  done[3]!()
  await waiting
  t.equal(free, 2)
  t.equal(await window.whenFree(2), 2, 'a caller that finds enough room does not wait')
})

test('closing wakes everybody with what there is, and nobody waits afterwards', async (t) => {
  const { window, done } = full(2)
  const rooms = [window.whenFree(1), window.whenFree(2)]
  done[0]!()
  t.equal(await rooms[0], 1)
  window.close()
  t.equal(await rooms[1], 1)
  t.equal(await window.whenFree(2), 1)
})

test('it is done up to the first message that is still in work, in any order of their ends', async (t) => {
  for (let round = 0; round < 200; round++) {
    const { window, done } = full(1 + (round % 9))
    const open = new Set(done.keys())
    for (const index of [...open].sort(() => Math.random() - 0.5)) {
      done[index]!()
      open.delete(index)
      const first = Math.min(...open, done.length)
      t.equal(window.done.seq, first)
      t.equal(window.size, open.size)
      if (first > 0) t.equal(window.done.arrivedAt, 999 + first)
    }
    t.equal(window.last, done.length)
  }
})
