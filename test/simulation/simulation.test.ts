import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Outcome } from './scenario.js'

const program = fileURLToPath(new URL('./main.js', import.meta.url))

function simulate(...args: string[]): Outcome[] {
  const { stdout, stderr, status } = spawnSync(process.execPath, [program, '--json', ...args], {
    encoding: 'utf8',
    maxBuffer: 1e9,
    // tap's hooks would cost more than the simulation.
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  if (status === null || status > 1) throw new Error(stderr)
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Outcome)
}

/** The seeds that every run of the tests plays: half a minute on two cores. */
const SEEDS = 40

t.test('no seed finds anything lost, doubled or stuck', (t) => {
  t.setTimeout(280_000)
  const outcomes = simulate('--seeds', String(SEEDS), '--jobs', '2')
  t.equal(outcomes.length, SEEDS)
  for (const { seed, findings } of outcomes) {
    t.same(findings, [], `npm run simulate -- --seed ${seed} --trace`)
  }
  const messages = outcomes.reduce((sum, outcome) => sum + outcome.messages, 0)
  t.ok(messages > 10 * SEEDS, 'the seeds send messages')
  t.end()
})

t.test('a seed repeats exactly', (t) => {
  const [first, ...others] = simulate('--from', '7', '--seeds', '3')
  t.equal(simulate('--seed', '7')[0]!.hash, first!.hash)
  t.equal(simulate('--seed', '9')[0]!.hash, others[1]!.hash, 'it does not depend on what was played before')
  t.not(first!.hash, others[0]!.hash, 'seeds differ')
  t.end()
})

t.test('the oracle sees what is taken away', (t) => {
  const kinds = new Set(
    simulate('--from', '1', '--seeds', '4', '--acts', 'sabotage').flatMap(({ findings }) =>
      findings.map(({ kind }) => kind),
    ),
  )
  t.ok(kinds.has('lost'))
  t.end()
})
