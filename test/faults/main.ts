import { parseArgs } from 'node:util'
import { FAULTS } from './faults.js'
import { runMatrix, type Result } from './matrix.js'

/**
 * The fault matrix as a program: `npm run faults -- [--long] [--only name]... [--rounds n] [--seed n] [--verbose] [--json]`.
 * Exit code 1 when a promise did not hold.
 */
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false }, only: { type: 'string', multiple: true }, rounds: { type: 'string' }, seed: { type: 'string' },
    json: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false }, list: { type: 'boolean', default: false },
  },
})

if (values.list) {
  for (const { name, what } of FAULTS) process.stdout.write(`${name.padEnd(28)} ${what}\n`)
} else {
  const unknown = values.only?.filter((name) => !FAULTS.some((fault) => fault.name === name)) ?? []
  if (unknown.length > 0) {
    process.stderr.write(`there is no fault ${unknown.join(', ')}; --list shows all\n`)
    process.exit(2)
  }
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  process.stderr.write(`seed ${seed}\n`)
  const results = await runMatrix({
    seed, only: values.only, rounds: Number(values.rounds ?? (values.long ? 20 : 1)), ...(values.long ? { seconds: 20 } : {}),
    onLog: values.verbose ? (part, line) => process.stderr.write(`${part}: ${line}\n`) : undefined,
    onResult: values.json ? undefined : (result) => process.stdout.write(`${lineOf(result)}\n`),
  })
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, results })}\n`)
  process.exitCode = results.every(({ wrong }) => wrong.length === 0) ? 0 : 1
}

function lineOf({ fault, wrong, skipped, frames, reads, hits, recoveryMs, ms, memory }: Result): string {
  if (skipped) return `${fault.padEnd(28)} skipped: ${skipped}`
  const facts = `${frames} frames, ${reads} reads, ${hits} hits; new frame stored after ${(recoveryMs / 1_000).toFixed(1)} s; ${(ms / 1_000).toFixed(0)} s; ${Object.entries(memory).map(([part, bytes]) => `${part} ${Math.round(bytes / 1_048_576)} MiB`).join(', ')}`
  return `${fault.padEnd(28)} ${wrong.length === 0 ? 'held' : 'BROKEN'}  ${facts}${wrong.map((one) => `\n    ${one}`).join('')}`
}
