import t from 'tap'
import { runLong, seedOf, type LongLine } from './long.js'
import type { Result } from './matrix.js'

const result = (fault: string, wrong: string[] = [], skipped?: string): Result => ({
  fault,
  what: '',
  wrong,
  ...(skipped && { skipped }),
  frames: 1,
  reads: 1,
  hits: 0,
  recoveryMs: 1,
  memory: {},
  took: {},
  ms: 1,
})
const setups = [
  { name: 'one', options: {} },
  { name: 'scale', options: {} },
]

t.test('rounds repeat until the time is over, each with its own seed, and every result is kept', async (t) => {
  let clock = 0
  const lines: LongLine[] = []
  const logged: string[] = []
  const tally = await runLong({
    setups,
    ms: 50,
    seed: 999_999,
    now: () => clock,
    append: (line) => lines.push(line),
    log: (text) => logged.push(text),
    run: async ({ name }, seed) => {
      clock += 10
      if (seed === seedOf(999_999, 1) && name === 'scale') throw new Error('nats does not start')
      return name === 'one'
        ? [result('engine killed'), result('disk full', [], 'not root')]
        : [result('one of two dies', seed === 999_999 ? ['a read was lost'] : [])]
    },
  })
  t.same(
    lines.map(({ round, setup, fault, held }) => [round, setup, fault, held]),
    [
      [0, 'one', 'engine killed', true],
      [0, 'one', 'disk full', true],
      [0, 'scale', 'one of two dies', false],
      [1, 'one', 'engine killed', true],
      [1, 'one', 'disk full', true],
      [1, 'scale', undefined, false],
      [2, 'one', 'engine killed', true],
      [2, 'one', 'disk full', true],
    ],
  )
  t.same(tally, { faults: 4, broken: 2 }, 'a skipped fault is not counted; a failed round is')
  t.match(lines[5], { wrong: [/nats does not start/] })
  t.equal(new Set(lines.map(({ seed }) => seed)).size, 3)
  t.ok(
    lines.every(({ seed }) => logged.some((text) => text.includes(`seed ${seed}`))),
    'each seed is printed',
  )
})

t.test('a time of 0 gives one round', async (t) => {
  const tally = await runLong({
    setups,
    ms: 0,
    seed: 1,
    append: () => {},
    log: () => {},
    run: async (_, __, until) => {
      t.equal(until, Infinity)
      return [result('nothing'), result('x')]
    },
  })
  t.same(tally, { faults: 2, broken: 0 })
})
