import type { OnnxCase } from './onnx_nets.js'

/** What this benchmark uses of the interface that both packages of onnxruntime share. */
interface Runtime {
  env: { wasm: { numThreads?: number; simd?: boolean }; logLevel?: string }
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> }
  Tensor: new (type: string, data: Float32Array | Uint8Array, dims: number[]) => object
}

interface Session {
  inputNames: string[]
  run(feeds: Record<string, object>): Promise<unknown>
  release?(): Promise<void>
}

/** A package of onnxruntime, on one thread. */
export interface Peer {
  name: string
  runtime: Runtime
  provider: 'cpu' | 'wasm'
}

/** The installed packages; both are development dependencies. */
export async function installedPeers(): Promise<Peer[]> {
  const peers: Peer[] = []
  for (const [name, provider] of [
    ['onnxruntime-node', 'cpu'],
    ['onnxruntime-web', 'wasm'],
  ] as const) {
    try {
      const imported = (await import(name)) as Runtime & { default?: Runtime }
      const runtime = imported.default ?? imported
      runtime.env.wasm.numThreads = 1
      runtime.env.wasm.simd = true
      peers.push({ name: name.replace('onnxruntime-', 'ort-'), runtime, provider })
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error
      console.error(`${name} is not installed and is left out`)
    }
  }
  return peers
}

/** Calls before the first timed one: V8 must optimise the module of onnxruntime-web too. */
const WARM_UPS = 20

/** Loads a case and warms it up. @returns a function that runs it once */
export async function loadCase(peer: Peer, { model, input, type }: OnnxCase): Promise<() => Promise<unknown>> {
  const session = await peer.runtime.InferenceSession.create(model, {
    executionProviders: [peer.provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  })
  const count = input.reduce((a, b) => a * b, 1)
  const data =
    type === 'float'
      ? new Float32Array(count).map((_, i) => ((i * 31) % 200) / 100 - 1)
      : new Uint8Array(count).map((_, i) => (i * 31) & 255)
  const feeds = {
    [session.inputNames[0]!]: new peer.runtime.Tensor(type === 'float' ? 'float32' : 'uint8', data, input),
  }
  for (let i = 0; i < WARM_UPS; i++) await session.run(feeds)
  return () => session.run(feeds)
}
