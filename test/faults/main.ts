import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { CLUSTER_FAULTS, FAULTS, SCALE_FAULTS } from './faults.js'
import { runLong } from './long.js'
import { runMatrix, type MatrixOptions, type Result } from './matrix.js'

/**
 * The fault matrix as a program: `npm run faults -- [--long [--minutes n] [--out file]] [--scale | --cluster] [--only
 * name]... [--rounds n] [--seed n] [--verbose] [--json]`. `--scale`: two engines and two gateways; `--cluster`: three
 * NATS servers that keep three copies. `--long` does all three again and again, for 60 minutes or as many as are said,
 * each round with another seed, and appends every result to a file, a JSON line each. Exit code 1 when a promise did
 * not hold.
 */
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '60' },
    out: { type: 'string', default: 'bench/results/faults.jsonl' },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    seed: { type: 'string' },
    scale: { type: 'boolean', default: false },
    cluster: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})

const SETUPS = {
  one: { name: 'one of each', options: { faults: FAULTS, parts: {} } },
  scale: { name: 'two engines, two gateways', options: { faults: SCALE_FAULTS, parts: { engines: 2, gateways: 2 } } },
  cluster: { name: 'three NATS servers', options: { faults: CLUSTER_FAULTS, parts: { cluster: true } } },
} satisfies Record<string, { name: string; options: Pick<MatrixOptions, 'faults' | 'parts'> }>

const chosen =
  values.long && !values.scale && !values.cluster
    ? Object.values(SETUPS)
    : [values.scale ? SETUPS.scale : values.cluster ? SETUPS.cluster : SETUPS.one]
const known = chosen.flatMap(({ options }) => options.faults)
const minutes = Number(values.minutes)

if (values.list) {
  for (const { name, what } of Object.values(SETUPS).flatMap(({ options }) => options.faults))
    process.stdout.write(`${name.padEnd(28)} ${what}\n`)
} else {
  const unknown = values.only?.filter((name) => !known.some((fault) => fault.name === name)) ?? []
  if (unknown.length > 0) {
    process.stderr.write(`there is no fault ${unknown.join(', ')}; --list shows all\n`)
    process.exit(2)
  }
  if (!(minutes >= 0)) {
    process.stderr.write('--minutes must be a number\n')
    process.exit(2)
  }
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const shared = {
    only: values.only,
    onLog: values.verbose ? (part: string, line: string) => process.stderr.write(`${part}: ${line}\n`) : undefined,
    onResult: values.json ? undefined : (result: Result) => process.stdout.write(`${lineOf(result)}\n`),
  }
  if (values.long) {
    mkdirSync(dirname(values.out), { recursive: true })
    const { faults, broken } = await runLong({
      setups: chosen.filter(
        ({ options }) => !values.only || options.faults.some(({ name }) => values.only!.includes(name)),
      ),
      ms: minutes * 60_000,
      seed,
      run: (setup, own, until) =>
        runMatrix({ ...shared, ...setup.options, seed: own, until, rounds: Number(values.rounds ?? 1), seconds: 20 }),
      append: (line) => appendFileSync(values.out, `${JSON.stringify(line)}\n`),
      say: (text) => process.stderr.write(`${text}\n`),
    })
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ seed, faults, broken, out: values.out })}\n`
        : `${faults} faults, ${broken} times a promise did not hold; every result is in ${values.out}\n`,
    )
    process.exitCode = broken === 0 ? 0 : 1
  } else {
    process.stderr.write(`seed ${seed}\n`)
    const results: Result[] = []
    for (const { options } of chosen)
      results.push(...(await runMatrix({ ...shared, ...options, seed, rounds: Number(values.rounds ?? 1) })))
    if (values.json) process.stdout.write(`${JSON.stringify({ seed, results })}\n`)
    process.exitCode = results.every(({ wrong }) => wrong.length === 0) ? 0 : 1
  }
}

function lineOf({ fault, wrong, skipped, frames, reads, hits, recoveryMs, took, ms, memory }: Result): string {
  if (skipped) return `${fault.padEnd(28)} skipped: ${skipped}`
  const facts = `${frames} frames, ${reads} reads, ${hits} hits; new frame stored after ${(recoveryMs / 1_000).toFixed(1)} s;${Object.entries(
    took,
  )
    .map(([what, time]) => ` ${what} after ${(time / 1_000).toFixed(1)} s;`)
    .join('')} ${(ms / 1_000).toFixed(0)} s; ${Object.entries(memory)
    .map(([part, bytes]) => `${part} ${Math.round(bytes / 1_048_576)} MiB`)
    .join(', ')}`
  return `${fault.padEnd(28)} ${wrong.length === 0 ? 'held' : 'BROKEN'}  ${facts}${wrong.map((one) => `\n    ${one}`).join('')}`
}
