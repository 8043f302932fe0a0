import { spawn } from 'node:child_process'
import { register } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { real } from './clock.js'
import { parseOptions, USAGE, type Options } from './options.js'
import type { Outcome } from './scenario.js'

/** What a seed came to, as a JSON line has it. */
type Line = Omit<Outcome, 'trace'> & { cpuMs: number }

/** The simulation as a program; `npm run simulate -- --help` describes its options. */
const parsed = parseOptions(process.argv.slice(2))
if ('error' in parsed) {
  process.stderr.write(parsed.error === '' ? USAGE : `simulate: ${parsed.error}\n${USAGE}`)
  process.exitCode = parsed.error === '' ? 0 : 2
} else process.exitCode = await main(parsed)

async function main(options: Options): Promise<number> {
  const begun = real.now()
  let failed = 0
  let cpuMs = 0
  const take = (line: Line) => {
    if (line.findings.length > 0) failed++
    cpuMs += line.cpuMs
    if (options.json) process.stdout.write(`${JSON.stringify(line)}\n`)
    else print(line)
  }
  const problem = options.jobs > 1 ? await runShared(options, take) : await runHere(options, take)
  if (problem !== undefined) return problem
  const seconds = (real.now() - begun) / 1_000
  process.stderr.write(
    `${options.seeds} seeds from ${options.from} on, ${failed} failed, ${seconds.toFixed(1)} s, ` +
      `${(options.seeds / seconds).toFixed(1)} seeds/s, ${(cpuMs / options.seeds).toFixed(0)} ms of CPU a seed\n`,
  )
  return failed > 0 ? 1 : 0
}

/** @returns the exit code when nothing can be played */
async function runHere(options: Options, take: (line: Line) => void): Promise<number | undefined> {
  register('./substitutes/hooks.js', import.meta.url)
  await import('./platform.js')
  const { ACTS, playSeed } = await import('./scenario.js')
  if (options.list) {
    for (const { name, what, holds } of ACTS)
      process.stdout.write(`${name.padEnd(22)} ${holds ? '' : '(fails) '}${what}\n`)
    return 0
  }
  const unknown = options.acts?.filter((name) => !ACTS.some((act) => act.name === name)) ?? []
  if (unknown.length > 0) {
    process.stderr.write(`simulate: there is no act ${unknown.join(', ')}; --list prints all\n`)
    return 2
  }
  // Errors of the client are frequent, and their stacks cost most of their time.
  if (!options.trace) Error.stackTraceLimit = 0
  for (let seed = options.from; seed < options.from + options.seeds; seed++) {
    const before = process.cpuUsage()
    const { trace, ...outcome } = await playSeed({
      seed,
      ...(options.acts && { acts: options.acts }),
      ...(options.trace && { print: (line: string) => process.stdout.write(`${line}\n`) }),
    })
    const { user, system } = process.cpuUsage(before)
    take({ ...outcome, cpuMs: Math.round((user + system) / 1_000) })
    if (options.seeds === 1 && !options.trace && !options.json)
      for (const line of trace) process.stdout.write(`${line}\n`)
  }
  return undefined
}

/** Shares the seeds among processes: each has its own time. */
async function runShared(options: Options, take: (line: Line) => void): Promise<number | undefined> {
  const { jobs, seeds, from, acts } = options
  const codes = await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      const first = from + Math.floor((seeds * job) / jobs)
      const count = from + Math.floor((seeds * (job + 1)) / jobs) - first
      if (count === 0) return 0
      const args = [
        '--json',
        '--from',
        String(first),
        '--seeds',
        String(count),
        ...(acts ? ['--acts', acts.join(',')] : []),
      ]
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let complaint = ''
      child.stderr.on('data', (data) => {
        complaint += data
      })
      const exited = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 3)))
      for await (const line of createInterface({ input: child.stdout })) take(JSON.parse(line) as Line)
      const code = await exited
      if (code > 1) process.stderr.write(complaint)
      return code
    }),
  )
  const worst = Math.max(...codes)
  return worst > 1 ? worst : undefined
}

function print({ seed, acts, findings, messages, virtualMs, events, hash, cpuMs }: Line): void {
  if (findings.length === 0 && parsed && 'seeds' in parsed && parsed.seeds > 1) return
  process.stdout.write(
    `seed ${seed}: ${messages} messages, ${(virtualMs / 1_000).toFixed(1)} s, ${events} events, ${hash}, ${cpuMs} ms` +
      ` (${acts.join(', ')})\n`,
  )
  for (const finding of findings.slice(0, 12)) process.stdout.write(`  ${finding.kind}: ${finding.text}\n`)
}
