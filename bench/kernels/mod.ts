import { readFileSync } from 'node:fs'
import { loadWasmFile, parseModel } from '../../wasm/internal_mod.js'
import { defineBenchmark, number, optionalText } from '../benchmark.js'
import { TablePrinter } from '../report/table.js'
import { loadModuleNet } from './module_nets.js'
import { emptyCase, oneLayer, oneLayer8, wholeNet } from './onnx_nets.js'
import { installedPeers, loadCase, type Peer } from './onnx_runner.js'
import { describeLayer, shapeOf, type NetShape } from './shapes.js'

export const benchmark = defineBenchmark({
  question: 'How fast are the kernels, layer by layer, and is another runtime faster?',
  method: `Each layer of each shipped net at its size for a 1280x720 frame, and each net as a whole. All runners take
    turns, call by call, for --seconds per row, and the fastest call of each counts: on a shared machine, that is what
    can be compared. A call of onnxruntime costs tens of microseconds beside its computation; a call of an empty model
    is measured first and subtracted. 'ort' runs the layer as float with bias, addend and ReLU fused; 'int8' as
    QLinearConv without the addend. A single layer is a little unfair to onnxruntime, which first brings its input into
    a layout of its own; the whole nets are fair.`,
  options: {
    seconds: number(0.5, 'seconds per row'),
    model: optionalText('FILE', 'model file (default: the one of this build)'),
  },
  goals: [],
  async run({ seconds, model: file }) {
    const model = parseModel(file ? new Uint8Array(readFileSync(file)) : await loadWasmFile('platestream.psm'))
    const peers = await installedPeers()
    for (const blob of model.nets) await measureNet(blob, peers, seconds)
  },
})

/** A way to run the layers: ours, or a peer with 32-bit floats or 8-bit integers. */
interface Runner {
  name: string
  whole: (() => unknown) | undefined
  layer(index: number): Promise<() => unknown>
  /** Cost of one call beside the layers, ms. */
  callMs: number
}

async function measureNet(blob: Uint8Array, peers: Peer[], seconds: number): Promise<void> {
  const net = shapeOf(blob)
  const runners = await runnersFor(blob, net, peers, seconds)
  console.log()
  const table = new TablePrinter([
    { title: `${net.name} net, GMAC/s and us`, width: 41, align: 'left' },
    ...runners.map(({ name }) => ({ title: name, width: 15 })),
    { title: 'ours / ort-node', width: 16 },
    { title: 'ours / ort-web', width: 15 },
  ]).header()
  for (const [i, { op }] of net.layers.entries()) {
    if (op !== 1) continue
    const calls = []
    for (const runner of runners) calls.push(await runner.layer(i))
    printRow(table, describeLayer(net, i), net.macs[i]!, runners, await fastest(calls, seconds))
  }
  const macs = net.macs.reduce((a, b) => a + b)
  const times = await fastest(
    runners.map(({ whole }) => whole),
    3 * seconds,
  )
  printRow(table, `whole, ${(macs / 1e6).toFixed(1)} MMAC`, macs, runners, times)
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

/** Milliseconds of the fastest call of each, taking turns; Infinity for an absent one. */
async function fastest(calls: readonly ((() => unknown) | undefined)[], seconds: number): Promise<number[]> {
  const best = calls.map(() => Infinity)
  const end = performance.now() + seconds * 1_000
  for (let round = 0; round < 10 || performance.now() < end; round++) {
    for (const [i, call] of calls.entries()) {
      if (!call) continue
      const start = performance.now()
      const pending = call()
      // Ours returns at once; awaiting it would add a turn of the event loop.
      if (pending instanceof Promise) await pending
      best[i] = Math.min(best[i]!, performance.now() - start)
    }
  }
  return best
}

function printRow(table: TablePrinter, name: string, macs: number, runners: Runner[], times: number[]): void {
  const ms = times.map((time, i) => Math.max(time - runners[i]!.callMs, 1e-3))
  const rates = ms.map((one) => macs / one / 1e6)
  const cells = rates.map((rate, i) =>
    Number.isFinite(ms[i]!) ? `${rate.toFixed(1)} ${(ms[i]! * 1_000).toFixed(0).padStart(5)}us` : '',
  )
  const ratioTo = (peer: string) => {
    const index = runners.findIndex((runner) => runner.name === peer)
    return index < 0 ? '' : (rates[0]! / rates[index]!).toFixed(2)
  }
  table.row(name, ...cells, ratioTo('ort-node'), ratioTo('ort-web'))
}
