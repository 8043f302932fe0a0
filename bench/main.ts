import { codeOf, reasonOf } from '../engine/errors.js'

/** The benchmarks by name: a module with `summary` and `run(args)`. */
const BENCHMARKS: Record<string, () => Promise<{ summary: string; run(args: string[]): Promise<object> }>> = {
  recognize: () => import('./recognize.js'),
  kernels: () => import('./kernels.js'),
  accuracy: () => import('./accuracy/accuracy.js'),
  match: () => import('./match/match.js'),
  confusions: () => import('./match/fit_confusions.js'),
  stream: () => import('./stream.js'),
  canvass: () => import('./canvass.js'),
}

const [name, ...args] = process.argv.slice(2)
const load = BENCHMARKS[name ?? '']
if (!load) {
  console.error('usage: npm run bench -- <name> [options]')
  for (const [known, module] of Object.entries(BENCHMARKS)) console.error(`  ${known.padEnd(12)} ${(await module()).summary}`)
  process.exit(2)
}
try {
  await (await load()).run(args)
} catch (error) {
  console.error(`${codeOf(error)}: ${reasonOf(error)}`)
  process.exitCode = 1
}
