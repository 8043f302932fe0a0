import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { CLUSTER_FAULTS, FAULTS, SCALE_FAULTS } from './faults.js'
import { runLong } from './long.js'
import { runMatrix, type MatrixOptions, type Result } from './matrix.js'
import { parseFaultsOptions, type FaultsOptions } from './options.js'

/** The fault matrix as a program; `npm run faults -- --help` describes its options. */
const SETUPS = {
  one: { name: 'one of each', options: { faults: FAULTS, parts: {} } },
  scale: { name: 'two engines, two gateways', options: { faults: SCALE_FAULTS, parts: { engines: 2, gateways: 2 } } },
  cluster: { name: 'three NATS servers', options: { faults: CLUSTER_FAULTS, parts: { cluster: true } } },
} satisfies Record<string, { name: string; options: Pick<MatrixOptions, 'faults' | 'parts'> }>

type Setup = (typeof SETUPS)[keyof typeof SETUPS]

async function main(options: FaultsOptions): Promise<number> {
  const { only, seed } = options
  if (options.list) {
    for (const { name, what } of Object.values(SETUPS).flatMap((setup) => setup.options.faults))
      process.stdout.write(`${name.padEnd(28)} ${what}\n`)
    return 0
  }
  const setups = chosenSetups(options)
  const names = setups.flatMap((setup) => setup.options.faults.map(({ name }) => name))
  const unknown = only?.filter((name) => !names.includes(name)) ?? []
  if (unknown.length > 0) {
    process.stderr.write(`faults: there is no fault ${unknown.join(', ')}; --list prints all names\n`)
    return 2
  }
  if (options.long) return await runSetupsForLong(setups, options)

  process.stderr.write(`seed ${seed}\n`)
  const results: Result[] = []
  for (const setup of setups)
    results.push(...(await runMatrix({ ...reporting(options), ...setup.options, seed, rounds: options.rounds })))
  if (options.json) process.stdout.write(`${JSON.stringify({ seed, results })}\n`)
  return results.every(({ wrong }) => wrong.length === 0) ? 0 : 1
}

function chosenSetups({ scale, cluster, long }: FaultsOptions): Setup[] {
  if (scale) return [SETUPS.scale]
  if (cluster) return [SETUPS.cluster]
  return long ? Object.values(SETUPS) : [SETUPS.one]
}

async function runSetupsForLong(setups: Setup[], options: FaultsOptions): Promise<number> {
  const { only, seed, out } = options
  mkdirSync(dirname(out), { recursive: true })
  const { faults, broken } = await runLong({
    setups: setups.filter((setup) => !only || setup.options.faults.some(({ name }) => only.includes(name))),
    ms: options.minutes * 60_000,
    seed,
    run: (setup, roundSeed, until) =>
      runMatrix({
        ...reporting(options),
        ...setup.options,
        seed: roundSeed,
        until,
        rounds: options.rounds,
        seconds: 20,
      }),
    append: (line) => appendFileSync(out, `${JSON.stringify(line)}\n`),
    log: (text) => process.stderr.write(`${text}\n`),
  })
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ seed, faults, broken, out })}\n`
      : `${faults} faults, ${broken} broken promises; all results are in ${out}\n`,
  )
  return broken === 0 ? 0 : 1
}

const reporting = ({ only, verbose, json }: FaultsOptions): Pick<MatrixOptions, 'only' | 'onLog' | 'onResult'> => ({
  only,
  onLog: verbose ? (part, line) => process.stderr.write(`${part}: ${line}\n`) : undefined,
  onResult: json ? undefined : (result) => process.stdout.write(`${lineOf(result)}\n`),
})

function lineOf({ fault, wrong, skipped, frames, reads, hits, recoveryMs, took, ms, memory }: Result): string {
  if (skipped) return `${fault.padEnd(28)} skipped: ${skipped}`
  const seconds = (time: number, digits = 1) => `${(time / 1_000).toFixed(digits)} s`
  const facts = [
    `${frames} frames, ${reads} reads, ${hits} hits`,
    `new frame stored after ${seconds(recoveryMs)}`,
    ...Object.entries(took).map(([what, time]) => `${what} after ${seconds(time)}`),
    seconds(ms, 0),
    Object.entries(memory)
      .map(([part, bytes]) => `${part} ${Math.round(bytes / 1_048_576)} MiB`)
      .join(', '),
  ]
  const verdict = wrong.length === 0 ? 'held' : 'BROKEN'
  return [`${fault.padEnd(28)} ${verdict}  ${facts.join('; ')}`, ...wrong.map((one) => `    ${one}`)].join('\n')
}

const parsed = parseFaultsOptions(process.argv.slice(2))
if ('text' in parsed) {
  process[parsed.exitCode === 0 ? 'stdout' : 'stderr'].write(parsed.text)
  process.exitCode = parsed.exitCode
} else process.exitCode = await main(parsed.options)
