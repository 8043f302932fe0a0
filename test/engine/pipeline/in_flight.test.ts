import { test } from 'tap'
import { InFlight } from '../../../engine/pipeline/in_flight.js'

const full = (limit: number) => {
  const inFlight = new InFlight<number>(limit)
  for (let i = 0; i < limit; i++) inFlight.push(i)
  return inFlight
}

test('a caller that needs room for several is woken when that many fit', async (t) => {
  const inFlight = full(4)
  let free: number | undefined
  const waiting = inFlight.whenFree(2).then((room) => {
    free = room
  })
  inFlight.shift()
  await new Promise(setImmediate)
  t.equal(free, undefined, 'room for one is not enough')
  inFlight.shift()
  await waiting
  t.equal(free, 2)
  t.equal(await inFlight.whenFree(2), 2, 'a caller that finds enough room does not wait')
})

test('closing wakes everybody with what there is, and nobody waits afterwards', async (t) => {
  const inFlight = full(2)
  const rooms = [inFlight.whenFree(1), inFlight.whenFree(2)]
  inFlight.shift()
  t.equal(await rooms[0], 1)
  inFlight.close()
  t.equal(await rooms[1], 1)
  t.equal(await inFlight.whenFree(2), 1)
  const empty = new InFlight<number>(1)
  const head = empty.head()
  empty.close()
  t.equal(await head, undefined)
  t.equal(await empty.head(), undefined)
})

test('items leave in the order in which they came, and the head stays until it is taken off', async (t) => {
  const inFlight = new InFlight<string>(2)
  const waiting = inFlight.head()
  inFlight.push('a')
  inFlight.push('b')
  inFlight.push('c')
  t.equal(await waiting, 'a')
  t.equal(await inFlight.head(), 'a')
  t.equal(inFlight.size, 3, 'it bounds nothing by itself')
  t.equal(inFlight.free, 0)
  inFlight.shift()
  t.equal(await inFlight.head(), 'b')
})
