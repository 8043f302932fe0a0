import { loadRecognizer, loadWasmFile, type RecognizerExports } from '../../../wasm/internal_mod.js'
import { writeNet, type TestNet } from './psm_writer.js'
import type { TwinTensor } from '../twin/net.js'

/** The exports of wasm/assembly/recognizer/probe.ts. */
export interface Probe extends RecognizerExports {
  probeNet(kind: number, height: number, width: number): number
  probeRun(net: number): void
  probeTensor(net: number, index: number): number
  probeStage(bytes: number): number
  probeNormalise(samples: number, net: number): void
  probePyramid(base: number, width: number, height: number): number
  probeBuildPyramid(): void
  probeLevel(level: number): number
  probeWindow(
    left: number,
    top: number,
    width: number,
    height: number,
    outWidth: number,
    outHeight: number,
    out: number,
  ): void
  probeHomography(quad: number, out: number): void
  probeRectify(homography: number, scale: number, outWidth: number, outHeight: number, out: number): void
  probeLine(quad: number, which: number, width: number, height: number, out: number): void
  probeBeam(probabilities: number, columns: number, width: number, out: number): number
  probePositions(probabilities: number, columns: number, classes: number, length: number, out: number): void
}

export async function loadProbe(): Promise<Probe> {
  return (await loadRecognizer(await loadWasmFile('recognizer.wasm'))) as unknown as Probe
}

/**
 * Loads one net into a module of its own and runs it on `input`; returns tensor `index` (the last by default) without
 * its border.
 */
export async function runNetInWasm(net: TestNet, input: TwinTensor, runs = 1): Promise<TwinTensor> {
  const probe = await loadProbe()
  const blob = writeNet(net)
  const at = probe.stageBlob(blob.length)
  new Uint8Array(probe.memory.buffer, at, blob.length).set(blob)
  const code = probe.addNet(at)
  if (code !== 0) throw new Error(`addNet returns ${code}`)
  const handle = probe.probeNet(net.kind, input.height, input.width)
  for (let run = 0; run < runs; run++) {
    const tensor = describeTensor(probe, handle, 0)
    for (let y = 0; y < input.height; y++) {
      const row = new Int16Array(probe.memory.buffer, tensor.interior + y * tensor.rowStep, input.width)
      row.set(input.values.subarray(y * input.width, (y + 1) * input.width))
    }
    probe.probeRun(handle)
  }
  const last = net.layers.at(-1)!
  const { height, width, channels, raw, rowStep, pixelStep, interior } = describeTensor(
    probe,
    handle,
    net.layers.length,
  )
  const count = last.channelsOut
  const values = raw ? new Float32Array(height * width * count) : new Int16Array(height * width * count)
  const Values = raw ? Float32Array : Int16Array
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = new Values(probe.memory.buffer, interior + y * rowStep + x * pixelStep, channels)
      values.set(pixel.subarray(0, count), (y * width + x) * count)
    }
  }
  return { height, width, channels: count, values }
}

function describeTensor(probe: Probe, net: number, index: number) {
  const words = new Uint32Array(probe.memory.buffer, probe.probeTensor(net, index), 8)
  const [height, width, channels, raw, rowStep, pixelStep, base, interior] = words as unknown as number[]
  return {
    height: height!,
    width: width!,
    channels: channels!,
    raw: raw === 1,
    rowStep: rowStep!,
    pixelStep: pixelStep!,
    base: base!,
    interior: interior!,
  }
}
