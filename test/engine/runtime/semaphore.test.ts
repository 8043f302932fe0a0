import fc from 'fast-check'
import t from 'tap'
import { Semaphore } from '../../../engine/runtime/semaphore.js'

/** Lets everything that is ready run. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

t.test('only as many callers hold a permit as there are permits, the others wait in their order', async (t) => {
  const semaphore = new Semaphore(2)
  const order: number[] = []
  const releases: (() => void)[] = []
  for (let i = 0; i < 5; i++)
    void semaphore.acquire().then((release) => {
      order.push(i)
      releases.push(release)
    })
  await settle()
  t.same(order, [0, 1])
  t.equal(semaphore.free, 0)
  t.equal(semaphore.waiting, 3)
  for (let i = 0; i < 5; i++) {
    releases[i]!()
    await settle()
  }
  t.same(order, [0, 1, 2, 3, 4])
  t.equal(semaphore.free, 2)
})

t.test('a released permit goes to the caller that waits, not to one that comes at the same instant', async (t) => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  const order: string[] = []
  void semaphore.run(() => order.push('waited'))
  release()
  t.equal(semaphore.free, 0, 'the permit was never free')
  void semaphore.run(() => order.push('came later'))
  await settle()
  t.same(order, ['waited', 'came later'])
  t.equal(semaphore.free, 1)
})

t.test('a permit is given back once, however often it is released', async (t) => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  release()
  release()
  t.equal(semaphore.free, 1)
  const second = await semaphore.acquire()
  release()
  t.equal(semaphore.free, 0, 'the old release does not give the new permit back')
  second()
})

t.test('an aborted caller leaves the queue with the reason of its signal', async (t) => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  const abort = new AbortController()
  const left = semaphore.acquire({ signal: abort.signal })
  const stayed = semaphore.acquire()
  abort.abort(new Error('no longer wanted'))
  await t.rejects(left, { message: 'no longer wanted' })
  t.equal(semaphore.waiting, 1)
  release()
  ;(await stayed)()
  t.equal(semaphore.free, 1)
  await t.rejects(semaphore.acquire({ signal: abort.signal }), { message: 'no longer wanted' }, 'aborted beforehand')
  t.equal(semaphore.free, 1)
})

t.test('an abort after the permit was handed over changes nothing', async (t) => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  const abort = new AbortController()
  const next = semaphore.acquire({ signal: abort.signal })
  release()
  abort.abort()
  ;(await next)()
  t.equal(semaphore.free, 1)
})

t.test('callers beyond the bound are refused with the given error', async (t) => {
  const semaphore = new Semaphore(1, { maxWaiting: 1, full: () => new RangeError('too many') })
  const release = await semaphore.acquire()
  const waits = semaphore.acquire()
  await t.rejects(semaphore.acquire(), { name: 'RangeError', message: 'too many' })
  release()
  ;(await waits)()
  await t.resolves(semaphore.acquire())
  const plain = new Semaphore(1, { maxWaiting: 0 })
  await plain.acquire()
  await t.rejects(plain.acquire(), { message: '0 callers wait already' })
})

t.test('closing rejects those who wait and those who come, and leaves permits in use alone', async (t) => {
  const semaphore = new Semaphore(1)
  const release = await semaphore.acquire()
  const waits = semaphore.acquire({ signal: new AbortController().signal })
  semaphore.close(new Error('closed'))
  semaphore.close(new Error('closed again'))
  await t.rejects(waits, { message: 'closed' })
  await t.rejects(semaphore.acquire(), { message: 'closed' })
  release()
  t.equal(semaphore.free, 1)
  await t.rejects(semaphore.acquire(), { message: 'closed' })
})

t.test('work that fails gives its permit back', async (t) => {
  const semaphore = new Semaphore(1)
  await t.rejects(
    semaphore.run(() => Promise.reject(new Error('broken'))),
    { message: 'broken' },
  )
  await t.rejects(
    semaphore.run(() => {
      throw new Error('broken at once')
    }),
    { message: 'broken at once' },
  )
  t.equal(await semaphore.run(() => 7), 7)
})

t.test('a semaphore has at least one permit', async (t) => {
  for (const permits of [0, -1, 1.5, NaN]) t.throws(() => new Semaphore(permits), RangeError)
})

t.test('any sequence of acquire, release and abort keeps the count and the order', async (t) => {
  const step = fc.oneof(
    fc.constant({ kind: 'acquire' as const }),
    fc.record({ kind: fc.constant('release' as const), which: fc.nat(20) }),
    fc.record({ kind: fc.constant('abort' as const), which: fc.nat(20) }),
    fc.constant({ kind: 'settle' as const }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 5 }),
      fc.array(step, { maxLength: 60 }),
      async (permits, maxWaiting, steps) => {
        const semaphore = new Semaphore(permits, { maxWaiting })
        /** The model: who holds a permit and who waits, by the number of the call. */
        const holders: number[] = []
        const queue: number[] = []
        const releases = new Map<number, () => void>()
        const granted: number[] = []
        const aborts = new Map<number, AbortController>()
        let calls = 0
        for (const { kind, ...rest } of steps) {
          const which = 'which' in rest ? rest.which : 0
          if (kind === 'acquire') {
            const call = calls++
            const abort = new AbortController()
            aborts.set(call, abort)
            if (holders.length < permits) holders.push(call)
            else if (queue.length < maxWaiting) queue.push(call)
            semaphore.acquire({ signal: abort.signal }).then(
              (release) => {
                granted.push(call)
                releases.set(call, release)
              },
              () => {},
            )
          } else if (kind === 'abort' && queue.length > 0) {
            const call = queue.splice(which % queue.length, 1)[0]!
            aborts.get(call)!.abort()
          } else if (kind === 'release' && holders.length > 0) {
            await settle()
            const call = holders.splice(which % holders.length, 1)[0]!
            if (queue.length > 0) holders.push(queue.shift()!)
            releases.get(call)!()
          } else if (kind === 'settle') await settle()
          if (semaphore.free !== permits - holders.length) throw new Error('the count is wrong')
          if (semaphore.waiting !== queue.length) throw new Error('the queue is wrong')
          if (semaphore.free > 0 && semaphore.waiting > 0) throw new Error('a caller waits beside a free permit')
        }
        await settle()
        if (granted.some((call, i) => i > 0 && call < granted[i - 1]!)) throw new Error('the order is wrong')
        if (holders.some((call) => !releases.has(call))) throw new Error('a permit was lost')
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})
