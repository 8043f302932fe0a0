import { loadRecognizer, loadWasmFile, type RecognizerExports } from '../../wasm/internal_mod.js'
import type { NetShape } from './shapes.js'

/** The exports of wasm/assembly/recognizer/probe.ts in use. */
interface Probe extends RecognizerExports {
  probeNet(kind: number, height: number, width: number): number
  probeRun(net: number): void
  probeLayer(net: number, index: number): void
}

/** A warmed-up net in a module of its own; runs as a whole or layer by layer on the current content of its tensors. */
export interface ModuleNet {
  run(): void
  runLayer(index: number): void
}

/** Runs after which V8 has optimised the kernels. */
const WARM_UPS = 60

export async function loadModuleNet(blob: Uint8Array, net: NetShape): Promise<ModuleNet> {
  const probe = (await loadRecognizer(await loadWasmFile('recognizer.wasm'))) as unknown as Probe
  const at = probe.stageBlob(blob.length)
  new Uint8Array(probe.memory.buffer, at, blob.length).set(blob)
  if (probe.addNet(at) !== 0) throw new Error(`the module refused the ${net.name} net`)
  const handle = probe.probeNet(net.kind, net.tensors[0]![0], net.tensors[0]![1])
  for (let i = 0; i < WARM_UPS; i++) probe.probeRun(handle)
  return { run: () => probe.probeRun(handle), runLayer: (index) => probe.probeLayer(handle, index) }
}
