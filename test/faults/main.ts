import { parseArgs } from 'node:util'
import { CLUSTER_FAULTS, FAULTS, SCALE_FAULTS } from './faults.js'
import { runMatrix, type MatrixOptions, type Result } from './matrix.js'

/**
 * The fault matrix as a program: `npm run faults -- [--long] [--scale | --cluster] [--only name]... [--rounds n] [--seed n] [--verbose] [--json]`.
 * `--scale`: two engines and two gateways; `--cluster`: three NATS servers that keep three copies. `--long` does all three, and each fault 20 times.
 * Exit code 1 when a promise did not hold.
 */
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false }, only: { type: 'string', multiple: true }, rounds: { type: 'string' }, seed: { type: 'string' },
    scale: { type: 'boolean', default: false }, cluster: { type: 'boolean', default: false }, json: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false }, list: { type: 'boolean', default: false },
  },
})

const SETUPS = {
  one: { faults: FAULTS, parts: {} },
  scale: { faults: SCALE_FAULTS, parts: { engines: 2, gateways: 2 } },
  cluster: { faults: CLUSTER_FAULTS, parts: { cluster: true } },
} satisfies Record<string, Pick<MatrixOptions, 'faults' | 'parts'>>

const chosen = values.long && !values.scale && !values.cluster ? Object.values(SETUPS) : [values.scale ? SETUPS.scale : values.cluster ? SETUPS.cluster : SETUPS.one]
const known = chosen.flatMap(({ faults }) => faults)

if (values.list) {
  for (const { name, what } of Object.values(SETUPS).flatMap(({ faults }) => faults)) process.stdout.write(`${name.padEnd(28)} ${what}\n`)
} else {
  const unknown = values.only?.filter((name) => !known.some((fault) => fault.name === name)) ?? []
  if (unknown.length > 0) {
    process.stderr.write(`there is no fault ${unknown.join(', ')}; --list shows all\n`)
    process.exit(2)
  }
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  process.stderr.write(`seed ${seed}\n`)
  const results: Result[] = []
  for (const setup of chosen) {
    results.push(...await runMatrix({
      ...setup, seed, only: values.only, rounds: Number(values.rounds ?? (values.long ? 20 : 1)), ...(values.long ? { seconds: 20 } : {}),
      onLog: values.verbose ? (part, line) => process.stderr.write(`${part}: ${line}\n`) : undefined,
      onResult: values.json ? undefined : (result) => process.stdout.write(`${lineOf(result)}\n`),
    }))
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, results })}\n`)
  process.exitCode = results.every(({ wrong }) => wrong.length === 0) ? 0 : 1
}

function lineOf({ fault, wrong, skipped, frames, reads, hits, recoveryMs, took, ms, memory }: Result): string {
  if (skipped) return `${fault.padEnd(28)} skipped: ${skipped}`
  const facts = `${frames} frames, ${reads} reads, ${hits} hits; new frame stored after ${(recoveryMs / 1_000).toFixed(1)} s;${Object.entries(took).map(([what, time]) => ` ${what} after ${(time / 1_000).toFixed(1)} s;`).join('')} ${(ms / 1_000).toFixed(0)} s; ${Object.entries(memory).map(([part, bytes]) => `${part} ${Math.round(bytes / 1_048_576)} MiB`).join(', ')}`
  return `${fault.padEnd(28)} ${wrong.length === 0 ? 'held' : 'BROKEN'}  ${facts}${wrong.map((one) => `\n    ${one}`).join('')}`
}
