import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parseModel } from '../../wasm/internal_mod.js'
import { loadWasmFile } from '../../wasm/load_node.js'
import { loadModuleNet } from './module_nets.js'
import { emptyCase, oneLayer, oneLayer8, wholeNet } from './onnx_nets.js'
import { installedPeers, loadCase, type Peer } from './onnx_runner.js'
import { describeLayer, shapeOf, type NetShape } from './shapes.js'

export const summary =
  'every layer of the nets, in GMAC/s: this module, onnxruntime-web and onnxruntime-node; one thread'

/** A way to run the layers: ours, or a peer with 32-bit floats or 8-bit integers. */
interface Runner {
  name: string
  whole: (() => unknown) | undefined
  layer(index: number): Promise<() => unknown>
  /** Milliseconds that one call costs beside the layers. */
  callMs: number
}

/**
 * Question: how fast are the kernels, layer by layer, and is a runtime made by others faster?
 *
 * Method: each layer of each shipped net at its size for a 1280x720 frame, and each net as a whole. All runners take
 * turns, call by call, for `--seconds` a row, and the fastest call of each counts: on a machine that others use too,
 * that is what can be compared. A call of onnxruntime costs tens of microseconds whatever it computes; that of an empty
 * model is measured first and taken off. 'ort' runs the layer as float with bias, addend and ReLU fused; 'int8' as
 * QLinearConv without the addend. A layer alone is a little unfair to onnxruntime, which brings its input into a layout
 * of its own first; the whole nets are not.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '0.5' }, model: { type: 'string' } },
  })
  const seconds = Number(values.seconds)
  const model = parseModel(
    values.model ? new Uint8Array(readFileSync(values.model)) : await loadWasmFile('platestream.psm'),
  )
  const peers = await installedPeers()
  const report: object[] = []
  for (const blob of model.nets) {
    const net = shapeOf(blob)
    const runners = await runnersFor(blob, net, peers, seconds)
    console.log(
      `\n${net.name} net, GMAC/s`.padEnd(43) +
        runners.map((r) => r.name.padStart(14)).join('') +
        '   ours / ort float: node, web',
    )
    for (let i = 0; i < net.layers.length; i++) {
      if (net.layers[i]!.op !== 1) continue
      const calls = []
      for (const runner of runners) calls.push(await runner.layer(i))
      report.push(printRow(describeLayer(net, i), net.macs[i]!, runners, await fastest(calls, seconds)))
    }
    const whole = runners.filter((r) => r.whole)
    const macs = net.macs.reduce((a, b) => a + b)
    report.push(
      printRow(
        `whole, ${(macs / 1e6).toFixed(1)} MMAC`,
        macs,
        whole,
        await fastest(
          whole.map((r) => r.whole!),
          3 * seconds,
        ),
      ),
    )
  }
  return { benchmark: 'kernels', rows: report }
}

async function runnersFor(blob: Uint8Array, net: NetShape, peers: Peer[], seconds: number): Promise<Runner[]> {
  const ours = await loadModuleNet(blob, net)
  const runners: Runner[] = [
    { name: 'ours', whole: () => ours.run(), layer: async (i) => () => ours.runLayer(i), callMs: 0 },
  ]
  for (const peer of peers) {
    const [callMs] = await fastest([await loadCase(peer, emptyCase())], seconds)
    runners.push({
      name: peer.name,
      whole: await loadCase(peer, wholeNet(net)),
      layer: (i) => loadCase(peer, oneLayer(net, i)),
      callMs: callMs!,
    })
    runners.push({
      name: `${peer.name} int8`,
      whole: undefined,
      layer: (i) => loadCase(peer, oneLayer8(net, i)),
      callMs: callMs!,
    })
  }
  return runners
}

/** Milliseconds of the fastest call of each, taking turns. */
async function fastest(calls: (() => unknown)[], seconds: number): Promise<number[]> {
  const best = calls.map(() => Infinity)
  const end = performance.now() + seconds * 1000
  for (let round = 0; round < 10 || performance.now() < end; round++) {
    for (const [i, call] of calls.entries()) {
      const start = performance.now()
      const pending = call()
      // ours answers at once; waiting for it would add a turn of the event loop
      if (pending instanceof Promise) await pending
      best[i] = Math.min(best[i]!, performance.now() - start)
    }
  }
  return best
}

function printRow(name: string, macs: number, runners: Runner[], times: number[]): object {
  const ms = times.map((time, i) => Math.max(time - runners[i]!.callMs, 1e-3))
  const rate = (name: string) => macs / ms[runners.findIndex((r) => r.name === name)]! / 1e6
  const rates = runners.map((r) => rate(r.name))
  const ratios = ['ort-node', 'ort-web']
    .filter((peer) => runners.some((r) => r.name === peer))
    .map((peer) => `${(rate('ours') / rate(peer)).toFixed(2)}`)
  console.log(
    name.padEnd(42) +
      rates.map((r, i) => `${r.toFixed(1)} ${(ms[i]! * 1000).toFixed(0).padStart(5)}us`.padStart(14)).join('') +
      `   ${ratios.join('  ')}`,
  )
  return { name, mmac: macs / 1e6, ms: Object.fromEntries(runners.map((r, i) => [r.name, ms[i]!])) }
}
