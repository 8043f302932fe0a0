import { readLayer, type LayerRecord } from '../../wasm/internal_mod.js'

/** Height, width, channels of a tensor. */
export type Shape = [height: number, width: number, channels: number]

/** A net as it is run: its layers, the size of every tensor (0 is the input), and multiplications by layer. */
export interface NetShape {
  kind: number
  name: string
  layers: LayerRecord[]
  tensors: Shape[]
  macs: number[]
}

const NAMES = ['', 'coarse', 'fine', 'reader', 'issuer']

/**
 * A frame of 1280x720 gives the coarse net this input (docs/model-format.md, rule 5); the others have their nominal
 * size.
 */
const COARSE_INPUT: Shape = [176, 320, 1]

export function shapeOf(blob: Uint8Array): NetShape {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const word = (i: number) => view.getUint32(i * 4, true)
  const kind = word(0)
  const tensors: Shape[] = [kind === 1 ? COARSE_INPUT : [word(1), word(2), 1]]
  const layers = Array.from({ length: word(3) }, (_, i) => readLayer(blob, i))
  for (const layer of layers) {
    const [height, width] = tensors[layer.source]!
    tensors.push(
      layer.op === 2
        ? [1, width, layer.channelsOut]
        : [Math.ceil(height / layer.strideY), Math.ceil(width / layer.strideX), layer.channelsOut],
    )
  }
  const macs = layers.map((layer, i) => {
    const [height, width] = tensors[i + 1]!
    return layer.op === 2 ? 0 : height * width * layer.kernel ** 2 * layer.channelsIn * layer.channelsOut
  })
  return { kind, name: NAMES[kind]!, layers, tensors, macs }
}

export function describeLayer(net: NetShape, index: number): string {
  const layer = net.layers[index]!
  const [height, width] = net.tensors[index + 1]!
  if (layer.op === 2) return `mean of the height, ${layer.channelsIn}`
  const addend = ['', ' +', ' +x2'][layer.addendMode]!
  return `${layer.kernel}x${layer.kernel} /${layer.strideY},${layer.strideX} ${layer.channelsIn}->${layer.channelsOut} ${width}x${height}${addend}`
}
