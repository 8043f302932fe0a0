import t from 'tap'
import { parseFaultsOptions } from './options.js'

t.test('--help names every option and exits with 0', async (t) => {
  const parsed = parseFaultsOptions(['--help'])
  if (!('text' in parsed)) return t.fail('no help')
  t.equal(parsed.exitCode, 0)
  const all = [
    'scale',
    'cluster',
    'only',
    'rounds',
    'seed',
    'long',
    'minutes',
    'out',
    'list',
    'verbose',
    'json',
    'help',
  ]
  for (const name of all) t.match(parsed.text, new RegExp(`^  --${name}\\b`, 'm'))
})

t.test('wrong usage gives one line and exit code 2', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--fast'], /Unknown option '--fast'/],
    [['engine killed'], /Unexpected argument/],
    [['--only'], /argument missing/],
    [['--minutes', 'many'], /--minutes must be a number/],
    [['--rounds', '0'], /--rounds must be a whole number of at least 1/],
    [['--seed', 'x'], /--seed must be a whole number/],
  ]
  for (const [args, reason] of cases) {
    const parsed = parseFaultsOptions(args)
    t.match(parsed, { text: reason, exitCode: 2 }, args.join(' '))
    t.match(parsed, { text: /^faults: [^\n]+\n$/ }, 'one line')
  }
})

t.test('options have defaults', async (t) => {
  t.match(parseFaultsOptions(['--only', 'a', '--only', 'b', '--seed', '7']), {
    options: { only: ['a', 'b'], seed: 7, rounds: 1, minutes: 60, long: false, out: 'bench/results/faults.jsonl' },
  })
})
