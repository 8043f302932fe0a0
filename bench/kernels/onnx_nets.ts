import { writeOnnx, type OnnxNode, type OnnxTensor } from './onnx_writer.js'
import type { NetShape, Shape } from './shapes.js'

/**
 * The same layers for onnxruntime: float with bias, addend and ReLU in one graph, which it can fuse; or 8 bits
 * (QLinearConv, no addend), its fastest form. The values are invented: only times are compared, and they do not depend
 * on values.
 */

/** A model and its input. */
export interface OnnxCase {
  model: Uint8Array
  input: number[]
  type: 'float' | 'uint8'
}

const planar = ([height, width, channels]: Shape) => [1, channels, height, width]
/** Small irregular numbers, none of them denormal. */
const filled = (length: number) => Float32Array.from({ length }, (_, i) => (((i * 7919) % 255) - 127) / 512)

function convAttributes(kernel: number, strideY: number, strideX: number): Record<string, number | number[]> {
  const pad = kernel >> 1
  return { kernel_shape: [kernel, kernel], strides: [strideY, strideX], pads: [pad, pad, pad, pad] }
}

/** Nodes and tensors of layer `index`, from tensor `t<source>` to `t<index+1>`. */
function floatLayer(net: NetShape, index: number, nodes: OnnxNode[], tensors: OnnxTensor[]): void {
  const layer = net.layers[index]!
  const from = `t${layer.source}`
  const to = `t${index + 1}`
  if (layer.op === 2) {
    nodes.push({ op: 'ReduceMean', inputs: [from], output: to, attributes: { axes: [2], keepdims: 1 } })
    return
  }
  const { kernel, channelsIn, channelsOut } = layer
  tensors.push({
    name: `w${index}`,
    dims: [channelsOut, channelsIn, kernel, kernel],
    values: filled(channelsOut * channelsIn * kernel * kernel),
  })
  tensors.push({ name: `b${index}`, dims: [channelsOut], values: filled(channelsOut) })
  const summed = layer.addendMode !== 0
  const sum = layer.relu ? `s${index}` : to
  nodes.push({
    op: 'Conv',
    inputs: [from, `w${index}`, `b${index}`],
    output: summed ? `c${index}` : sum,
    attributes: convAttributes(kernel, layer.strideY, layer.strideX),
  })
  if (summed) nodes.push({ op: 'Add', inputs: [`c${index}`, addend(net, index, nodes, tensors)], output: sum })
  if (layer.relu) nodes.push({ op: 'Relu', inputs: [sum], output: to })
}

function addend(net: NetShape, index: number, nodes: OnnxNode[], tensors: OnnxTensor[]): string {
  const layer = net.layers[index]!
  if (layer.addendMode === 1) return `t${layer.addend}`
  const [height, width] = net.tensors[index + 1]!
  const [fromHeight, fromWidth] = net.tensors[layer.addend]!
  tensors.push({ name: `r${index}`, dims: [4], values: Float32Array.of(1, 1, height / fromHeight, width / fromWidth) })
  nodes.push({
    op: 'Resize',
    inputs: [`t${layer.addend}`, '', `r${index}`],
    output: `u${index}`,
    attributes: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
  })
  return `u${index}`
}

/** All layers of a net, float. */
export function wholeNet(net: NetShape): OnnxCase {
  const nodes: OnnxNode[] = []
  const tensors: OnnxTensor[] = []
  net.layers.forEach((_, i) => floatLayer(net, i, nodes, tensors))
  const input = planar(net.tensors[0]!)
  const output = planar(net.tensors.at(-1)!)
  const model = writeOnnx(
    nodes,
    tensors,
    { name: 't0', dims: input, type: 'float' },
    { name: `t${net.layers.length}`, dims: output, type: 'float' },
  )
  return { model, input, type: 'float' }
}

/** One float layer; its addend is a constant of the output's size. */
export function oneLayer(net: NetShape, index: number): OnnxCase {
  const layer = net.layers[index]!
  const nodes: OnnxNode[] = []
  const tensors: OnnxTensor[] = []
  const alone = {
    ...net,
    layers: net.layers.with(index, { ...layer, addendMode: layer.addendMode === 0 ? 0 : 1, addend: 1000 }),
  }
  floatLayer(alone, index, nodes, tensors)
  const input = planar(net.tensors[layer.source]!)
  const output = planar(net.tensors[index + 1]!)
  if (layer.addendMode !== 0)
    tensors.push({ name: 't1000', dims: output, values: filled(output.reduce((a, b) => a * b)) })
  const model = writeOnnx(
    nodes,
    tensors,
    { name: `t${layer.source}`, dims: input, type: 'float' },
    { name: `t${index + 1}`, dims: output, type: 'float' },
  )
  return { model, input, type: 'float' }
}

/** One layer with 8-bit integers, without its addend. */
export function oneLayer8(net: NetShape, index: number): OnnxCase {
  const { source, kernel, strideY, strideX, channelsIn, channelsOut } = net.layers[index]!
  const input = planar(net.tensors[source]!)
  const output = planar(net.tensors[index + 1]!)
  const weights = Int8Array.from(
    { length: channelsOut * channelsIn * kernel * kernel },
    (_, i) => ((i * 7919) % 255) - 127,
  )
  const tensors: OnnxTensor[] = [
    { name: 'w', dims: [channelsOut, channelsIn, kernel, kernel], values: weights },
    { name: 'scale', dims: [], values: Float32Array.of(0.01) },
    { name: 'zero', dims: [], values: Uint8Array.of(128) },
    { name: 'scales', dims: [channelsOut], values: new Float32Array(channelsOut).fill(0.002) },
    { name: 'zeros', dims: [channelsOut], values: new Int8Array(channelsOut) },
    { name: 'b', dims: [channelsOut], values: new Int32Array(channelsOut) },
  ]
  const node: OnnxNode = {
    op: 'QLinearConv',
    inputs: ['x', 'scale', 'zero', 'w', 'scales', 'zeros', 'scale', 'zero', 'b'],
    output: 'y',
    attributes: convAttributes(kernel, strideY, strideX),
  }
  return {
    model: writeOnnx(
      [node],
      tensors,
      { name: 'x', dims: input, type: 'uint8' },
      { name: 'y', dims: output, type: 'uint8' },
    ),
    input,
    type: 'uint8',
  }
}

/** A model that does nothing: a call of it costs what every call costs beside its layers. */
export function emptyCase(): OnnxCase {
  const model = writeOnnx(
    [{ op: 'Relu', inputs: ['x'], output: 'y' }],
    [],
    { name: 'x', dims: [1, 1], type: 'float' },
    { name: 'y', dims: [1, 1], type: 'float' },
  )
  return { model, input: [1, 1], type: 'float' }
}
