import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { BENCHMARKS } from '../../bench/benchmarks.js'
import { runCommand } from '../../bench/command.js'

/** Runs the command and captures what it prints. */
async function call(t: Test, ...args: string[]) {
  const captured = { out: t.capture(console, 'log'), err: t.capture(console, 'error') }
  const code = await runCommand(args)
  const textOf = (printed: typeof captured.out) => printed.args().flat().join('\n')
  const result = { code, out: textOf(captured.out), err: textOf(captured.err) }
  captured.out.restore()
  captured.err.restore()
  return result
}

t.test('without a name, the benchmarks are listed', async (t) => {
  const { code, out } = await call(t)
  t.equal(code, 0)
  for (const [name, { summary }] of Object.entries(BENCHMARKS)) t.match(out, `${name} `, summary)
})

for (const [name, { load, summary }] of Object.entries(BENCHMARKS)) {
  t.test(`${name} --help names every option, and an unknown option is a usage error`, async (t) => {
    const { benchmark } = await load()
    const { code, out, err } = await call(t, name, '--help')
    t.equal(code, 0)
    t.equal(err, '')
    t.match(out, summary.slice(0, 40))
    t.match(out, /^goals/m)
    for (const [option, { shownDefault }] of Object.entries(benchmark.options)) {
      t.match(out, new RegExp(`^ {2}--(\\[no-\\])?${option}[ \\n]`, 'm'), option)
      if (shownDefault !== undefined) t.match(out.replaceAll(/\s+/g, ' '), `(default: ${shownDefault})`)
    }
    const longest = Math.max(...out.split('\n').map((line) => line.length))
    t.ok(longest <= 120, `lines of at most 120 characters (${longest})`)

    const bad = await call(t, name, '--no-such-option')
    t.equal(bad.code, 2)
    t.match(bad.err, /^ALPR_ERR_USAGE: [^\n]*'--no-such-option'[^\n]*$/)
    t.equal(bad.out, '')
  })
}

t.test('bad values and superfluous arguments are usage errors of one line', async (t) => {
  for (const args of [
    ['stream', '--frames', 'many'],
    ['stream', '--frames', '0'],
    ['stream', '--frames='],
    ['stream', 'extra'],
    ['soak', '--every', '0.01'],
    ['recovery', '--seconds', '1'],
    ['compare', 'only-one'],
    ['match', '--plates'],
    ['no-such-benchmark'],
  ]) {
    const { code, err } = await call(t, ...args)
    t.equal(code, 2, args.join(' '))
    t.notMatch(err, /\n/, 'one line')
    t.not(err, '')
  }
})

t.test('the exit code is that of the process', async (t) => {
  const main = new URL('../../bench/main.js', import.meta.url).pathname
  t.equal(spawnSync(process.execPath, [main, 'stream', '--help']).status, 0)
  t.equal(spawnSync(process.execPath, [main, 'stream', '--no-such-option']).status, 2)
})
