import t from 'tap'
import { Condition } from '../../../engine/runtime/condition.js'

/** Lets everything that is ready run. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

t.test('a caller waits until what it waits for is so, and somebody says that it changed', async (t) => {
  const condition = new Condition()
  let value = 0
  const passed: number[] = []
  for (const least of [3, 1, 2]) void condition.wait(() => value >= least).then(() => passed.push(least))
  value = 2
  await settle()
  t.same(passed, [], 'nobody said so')
  condition.changed()
  await settle()
  t.same(passed, [1, 2], 'in the order of their calls; the other still waits')
  condition.changed()
  await settle()
  t.same(passed, [1, 2])
  value = 3
  condition.changed()
  await settle()
  t.same(passed, [1, 2, 3])
})

t.test('a caller for whom it is so already does not wait', async (t) => {
  await new Condition().wait(() => true)
  t.pass()
})

t.test('close ends all waits, and later ones', async (t) => {
  const condition = new Condition()
  const waits = [condition.wait(() => false), condition.wait(() => false)]
  t.equal(condition.isClosed, false)
  condition.close()
  await Promise.all(waits)
  await condition.wait(() => false)
  t.equal(condition.isClosed, true)
})

t.test('a check that throws concerns its own caller, in the call', async (t) => {
  await t.rejects(
    new Condition().wait(() => {
      throw new Error('refused')
    }),
    { message: 'refused' },
  )
})

t.test('a wait with a limit ends then, and leaves nothing behind', async (t) => {
  const condition = new Condition()
  let asked = 0
  const never = () => {
    asked += 1
    return false
  }
  for (let n = 0; n < 20; n++) await condition.wait(never, 1)
  asked = 0
  condition.changed()
  t.equal(asked, 0, 'no wait is left')
  let isSo = false
  const waiting = condition.wait(() => isSo, 60_000)
  isSo = true
  condition.changed()
  await waiting
})
