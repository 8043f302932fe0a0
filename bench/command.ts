import { codeOf, reasonOf } from '../engine/runtime/mod.js'
import { BENCHMARKS } from './benchmarks.js'
import { loadNow } from './report/machine.js'
import { saveResult } from './report/result.js'

/**
 * `npm run bench -- [name] [options]`: runs a benchmark, or prints its help or the list of benchmarks.
 * @returns exit code: 0, 1 for a failure, 2 for a usage error
 */
export async function runCommand([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help') {
    console.log(listOfBenchmarks())
    return 0
  }
  const entry = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined
  if (!entry) {
    console.error(`unknown benchmark '${name}': it must be one of ${Object.keys(BENCHMARKS).join(', ')}`)
    return 2
  }
  try {
    const { benchmark } = await entry.load()
    if (args.includes('--help')) {
      console.log(benchmark.help(name, entry.summary))
      return 0
    }
    const started = { at: new Date(), load: loadNow() }
    const measured = await benchmark.run(args)
    if (measured) console.log(`saved     ${await saveResult(name, args, measured, started)}.json, .png`)
    return 0
  } catch (error) {
    if (process.env.BENCH_STACK) console.error(error)
    console.error(`${codeOf(error)}: ${reasonOf(error)}`)
    return codeOf(error) === 'ALPR_ERR_USAGE' ? 2 : 1
  }
}

function listOfBenchmarks(): string {
  const width = Math.max(...Object.keys(BENCHMARKS).map((name) => name.length)) + 2
  return [
    'usage: npm run bench -- <name> [options]; <name> --help lists the options',
    '',
    ...Object.entries(BENCHMARKS).map(([name, { summary }]) => `  ${name.padEnd(width)}${summary}`),
  ].join('\n')
}
