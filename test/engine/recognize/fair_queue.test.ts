import { test } from 'tap'
import { FairQueue } from '../../../engine/recognize/fair_queue.js'

interface Job {
  flow: string
  ms: number
}

/** Flows that always have three jobs waiting, served by one worker for `ms`. @returns the work done by flow, ms */
function serve(queue: FairQueue<Job>, costs: Record<string, number>, ms: number): Map<string, number> {
  const served = new Map<string, number>()
  const add = (flow: string) => queue.push(flow, { flow, ms: costs[flow]! })
  for (const flow of Object.keys(costs)) for (let n = 0; n < 3; n++) add(flow)
  for (let now = 0; now < ms; ) {
    const { job, end } = queue.shift()!
    now += job.ms
    served.set(job.flow, (served.get(job.flow) ?? 0) + job.ms)
    end(job.ms)
    add(job.flow)
  }
  queue.clear()
  return served
}

test('flows that always have jobs get equal shares of the time, however long their jobs take', (t) => {
  const costs = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`flow-${n}`, 2 ** n]))
  const served = serve(new FairQueue<Job>(), costs, 40_000)
  for (const [flow, ms] of served) t.ok(Math.abs(ms - 5_000) <= 300, `${flow} had ${ms} ms of 5000`)
  t.equal(served.size, 8)
  t.end()
})

test('a flow that comes back after a pause does not get what it did not use', (t) => {
  const queue = new FairQueue<Job>()
  serve(queue, { busy: 10 }, 10_000)
  const had = serve(queue, { busy: 10, returned: 10 }, 1_000).get('returned')!
  t.ok(Math.abs(had - 500) <= 30, `it had ${had} of 1000 ms`)
  t.end()
})

test('the jobs of a flow start in order; one that must start again comes first; one can be taken back', (t) => {
  const queue = new FairQueue<string>()
  for (const job of ['a', 'b', 'c']) queue.push('flow', job)
  const first = queue.shift()!
  first.end(5)
  queue.pushFirst('flow', first.job)
  t.ok(queue.remove('flow', (job) => job === 'b'))
  t.notOk(
    queue.remove('flow', (job) => job === 'b'),
    'it is gone',
  )
  t.notOk(queue.remove('other', () => true))
  t.equal(queue.size, 2)
  t.same([queue.shift()?.job, queue.shift()?.job, queue.shift()?.job], ['a', 'c', undefined])
  queue.push('flow', 'd')
  queue.push('other', 'e')
  t.same(queue.clear(), ['d', 'e'])
  t.equal(queue.size, 0)
  t.equal(queue.shift(), undefined)
  t.end()
})

test('it learns what the jobs of a flow take', (t) => {
  const queue = new FairQueue<string>()
  t.equal(queue.costOf('slow'), 0, 'nothing is known')
  for (const [flow, ms] of [
    ['fast', 4],
    ['slow', 100],
  ] as const)
    for (let n = 0; n < 20; n++) {
      queue.push(flow, 'job')
      queue.shift()!.end(ms)
    }
  t.ok(Math.abs(queue.costOf('slow') - 100) < 1)
  t.ok(Math.abs(queue.costOf('fast') - 4) < 1)
  t.ok(queue.costOf('new') > 4, 'an unknown flow costs the mean of all')
  for (let n = 0; n < 10_000; n++) {
    queue.push(`camera-${n}`, 'job')
    queue.shift()!.end(1)
  }
  t.ok(queue.costOf('slow') < 100, 'flows that were not used for long are forgotten')
  t.end()
})
