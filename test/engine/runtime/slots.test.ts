import { test } from 'tap'
import { Slots } from '../../../engine/runtime/slots.js'

test('who waits for several slots is woken when there are so many', async (t) => {
  const slots = new Slots(4)
  for (let i = 0; i < 4; i++) slots.take()
  let free: number | undefined
  const waiting = slots.room(2).then((room) => {
    free = room
  })
  slots.release()
  await new Promise(setImmediate)
  t.equal(free, undefined, 'one is not enough')
  slots.release()
  await waiting
  t.equal(free, 2)
  t.equal(await slots.room(2), 2, 'who finds enough does not wait')
})

test('an interrupt wakes all with what there is', async (t) => {
  const slots = new Slots(2)
  slots.take()
  slots.take()
  const rooms = [slots.room(), slots.room(2)]
  slots.release()
  t.equal(await rooms[0], 1)
  slots.interrupt()
  t.equal(await rooms[1], 1)
})
