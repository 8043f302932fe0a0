import { codeOf, reasonOf } from '../engine/runtime/mod.js'
import { compareCommand } from './compare/verdicts.js'
import { loadNow } from './report/machine.js'
import { ofAccuracy, ofCanvass, ofMatch, ofRecognize } from './report/of_results.js'
import { saveResult, type Measured } from './report/result.js'

/** The benchmarks by name. What `run` gives with figures is saved with the machine beside it; the others only print. */
const BENCHMARKS: Record<string, () => Promise<{ summary: string; run(args: string[]): Promise<Measured | object> }>> =
  {
    recognize: () => import('./recognize/mod.js'),
    accuracy: () => import('./accuracy/mod.js'),
    stream: () => import('./stream/mod.js'),
    soak: () => import('./soak/mod.js'),
    recovery: () => import('./recovery/mod.js'),
    match: () => import('./match/mod.js'),
    canvass: () => import('./canvass/mod.js'),
    fanout: () => import('./fanout/mod.js'),
    detections: () => import('./detections/mod.js'),
    kernels: () => import('./kernels/mod.js'),
    confusions: () => import('./confusions/mod.js'),
  }

/** Figures of those that give a result of their own form. */
const FIGURES: Record<string, (result: never) => Measured> = {
  recognize: ofRecognize,
  accuracy: ofAccuracy,
  match: ofMatch,
  canvass: ofCanvass,
}

const [name, ...args] = process.argv.slice(2)
const load = BENCHMARKS[name ?? '']
if (!load && name !== 'compare') {
  console.error('usage: npm run bench -- <name> [options]')
  for (const [known, module] of Object.entries(BENCHMARKS))
    console.error(`  ${known.padEnd(12)} ${(await module()).summary}`)
  console.error(
    `  ${'compare'.padEnd(12)} whether the second of two results (or folders of results) is faster, with the noise`,
  )
  process.exit(2)
}
try {
  if (!load) compareCommand(args)
  else {
    const begun = { at: new Date(), load: loadNow() }
    const result = await (await load()).run(args)
    const measured = 'figures' in result ? result : FIGURES[name!]?.(result as never)
    if (measured) console.log(`saved     ${await saveResult(name!, args, measured, begun)}.json, .png`)
  }
} catch (error) {
  if (process.env.BENCH_STACK) console.error(error)
  console.error(`${codeOf(error)}: ${reasonOf(error)}`)
  process.exitCode = codeOf(error) === 'ALPR_ERR_USAGE' ? 2 : 1
}
