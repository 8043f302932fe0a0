import type { LayerRecord } from '../../../wasm/internal_mod.js'

/** A layer of a test net: the fields of its record and the tables it points to. */
export interface TestLayer {
  op: 1 | 2
  source: number
  addend?: number
  addendMode?: 0 | 1 | 2
  kernel?: 1 | 3
  strideY?: number
  strideX?: number
  channelsIn: number
  channelsOut: number
  relu?: boolean
  raw?: boolean
  /** int8 [cout][ky][kx][cin] */
  weights?: Int8Array
  multipliers: Float32Array
  biases?: Float32Array
  addendMultiplier?: number
}

export interface TestNet {
  kind: number
  height: number
  width: number
  layers: TestLayer[]
}

const pad16 = (n: number) => (n + 15) & ~15

/** A net blob of docs/model-format.md, written independently of the exporter in wasm/train. */
export function writeNet(net: TestNet): Uint8Array {
  const pieces: { at: number; bytes: Uint8Array }[] = []
  let end = 64 + net.layers.length * 64
  const place = (array: Int8Array | Float32Array | undefined): number => {
    if (!array) return 0
    const at = end
    pieces.push({ at, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) })
    end = pad16(end + array.byteLength)
    return at
  }
  const records = net.layers.map((l): Omit<LayerRecord, 'relu' | 'raw'> & { flags: number } => ({
    op: l.op,
    source: l.source,
    addend: l.addendMode ? l.addend! : 0xffffffff,
    addendMode: l.addendMode ?? 0,
    kernel: l.kernel ?? 1,
    strideY: l.strideY ?? 1,
    strideX: l.strideX ?? 1,
    channelsIn: l.channelsIn,
    channelsOut: l.channelsOut,
    flags: (l.relu ? 1 : 0) | (l.raw ? 2 : 0),
    weights: place(l.weights),
    multipliers: place(l.multipliers),
    biases: place(l.biases),
    addendMultiplier: l.addendMultiplier ?? 0,
  }))
  const blob = new Uint8Array(end)
  const view = new DataView(blob.buffer)
  ;[net.kind, net.height, net.width, net.layers.length].forEach((word, i) => view.setUint32(i * 4, word, true))
  records.forEach((r, i) => {
    const words = [
      r.op,
      r.source,
      r.addend,
      r.addendMode,
      r.kernel,
      r.strideY,
      r.strideX,
      r.channelsIn,
      r.channelsOut,
      r.flags,
      r.weights,
      r.multipliers,
      r.biases,
    ]
    words.forEach((word, k) => view.setUint32(64 + i * 64 + k * 4, word, true))
    view.setFloat32(64 + i * 64 + 52, r.addendMultiplier, true)
  })
  for (const { at, bytes } of pieces) blob.set(bytes, at)
  return blob
}

export const CASCADE = {
  coarseFloor: 0.1,
  candidates: 3,
  fineZoom: 2,
  fineFloor: 0.2,
  readMargins: [0, 0.08],
  beam: 8,
  readFloor: 0.05,
  calibA: 1,
  calibB: 0,
}

/** A whole model file around net blobs. */
export function writeModel(nets: Uint8Array[], metadata: Record<string, unknown> = {}): Uint8Array {
  const text = JSON.stringify({
    name: 'test',
    version: 1,
    trainedAt: '',
    alphabet: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    cascade: CASCADE,
    card: {},
    ...metadata,
  })
  const encoded = new TextEncoder().encode(text)
  const metaBytes = pad16(encoded.length)
  const file = new Uint8Array(16 + metaBytes + nets.reduce((sum, net) => sum + 16 + pad16(net.length), 0)).fill(0)
  file.set(new TextEncoder().encode('PSMODEL1'))
  const view = new DataView(file.buffer)
  view.setUint32(8, metaBytes, true)
  view.setUint32(12, nets.length, true)
  file.fill(32, 16, 16 + metaBytes)
  file.set(encoded, 16)
  let at = 16 + metaBytes
  for (const net of nets) {
    view.setUint32(at, net.length, true)
    file.set(net, at + 16)
    at += 16 + pad16(net.length)
  }
  return file
}
