import { readLayer, type LayerRecord } from '../../wasm/internal_mod.js'

/** Height, width, channels of a tensor. */
export type Shape = [height: number, width: number, channels: number]

/** A net: its layers, the shape of every tensor (0 is the input), and multiplications by layer. */
export interface NetShape {
  kind: number
  name: string
  layers: LayerRecord[]
  tensors: Shape[]
  macs: number[]
}

const NAMES = ['', 'coarse', 'fine', 'reader', 'issuer']

/**
 * The coarse net's input for a frame of 1280x720 (docs/model-format.md, rule 5); the other nets have their nominal
 * size.
 */
const COARSE_INPUT: Shape = [176, 320, 1]

/** Reads the shape of a net from its blob (docs/model-format.md). */
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

/** Kernel, strides, channels, output size and addend of a layer, in one line. */
export function describeLayer(net: NetShape, index: number): string {
  const layer = net.layers[index]!
  const [height, width] = net.tensors[index + 1]!
  if (layer.op === 2) return `mean over the height, ${layer.channelsIn}`
  const addend = ['', ' +', ' +x2'][layer.addendMode]!
  const { kernel, strideY, strideX, channelsIn, channelsOut } = layer
  const convolution = `${kernel}x${kernel} /${strideY},${strideX} ${channelsIn}->${channelsOut}`
  return `${convolution} ${width}x${height}${addend}`
}
