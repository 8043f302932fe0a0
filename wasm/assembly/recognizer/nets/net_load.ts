import { place } from '../arena'
import { MAX_CHANNELS, MAX_LAYERS, OK, REFUSED_MEMORY, REFUSED_NET } from '../layout'
import {
  FLAG_RAW, FORM_DIRECT, FORM_MEAN_HEIGHT, FORM_WINOGRAD, Layer, layerAt, layerTableBytes, Net, tensorTableBytes,
} from './net'
import { directWeightBytes, packDirect, packWinograd, winogradWeightBytes } from '../kernels/pack_weights'

const OP_CONVOLUTION: u32 = 1
const OP_MEAN_HEIGHT: u32 = 2

/**
 * Reads the layer records of the blob at `blob` (docs/model-format.md) and packs the weights. The host has validated
 * the blob's offsets, strides and sums (wasm/recognizer/model_net.ts); values that would make this code write outside
 * its tables are checked again.
 */
export function loadNet(net: Net, blob: usize): i32 {
  net.kind = load<u32>(blob)
  net.nominalHeight = load<u32>(blob, 4)
  net.nominalWidth = load<u32>(blob, 8)
  net.layerCount = load<u32>(blob, 12)
  net.height = 0
  net.width = 0
  if (net.layerCount == 0 || net.layerCount > MAX_LAYERS) return REFUSED_NET
  net.layers = place(layerTableBytes())
  net.tensors = place(tensorTableBytes())
  if (net.layers == 0 || net.tensors == 0) return REFUSED_MEMORY
  for (let i: u32 = 0; i < net.layerCount; i++) {
    const answer = loadLayer(layerAt(net, i), blob, blob + 64 + i * 64, i)
    if (answer != OK) return answer
  }
  return OK
}

function loadLayer(layer: Layer, blob: usize, record: usize, index: u32): i32 {
  const op = load<u32>(record)
  layer.source = load<u32>(record, 4)
  layer.addendMode = load<u32>(record, 12)
  layer.addend = layer.addendMode == 0 ? 0 : load<u32>(record, 8)
  layer.kernel = load<u32>(record, 16)
  layer.strideY = load<u32>(record, 20)
  layer.strideX = load<u32>(record, 24)
  layer.channelsIn = load<u32>(record, 28)
  layer.channelsOut = load<u32>(record, 32)
  layer.flags = load<u32>(record, 36)
  layer.addendMultiplier = load<f32>(record, 52)
  if (layer.source > index || layer.addend > index) return REFUSED_NET
  if (layer.channelsIn > MAX_CHANNELS || layer.channelsOut > MAX_CHANNELS) return REFUSED_NET
  if (layer.channelsIn != 1 && (layer.channelsIn & 7) != 0) return REFUSED_NET
  layer.paddedOut = (layer.channelsOut + 7) & ~7
  if (layer.paddedOut != layer.channelsOut && (layer.flags & FLAG_RAW) == 0) return REFUSED_NET
  const multipliers = blob + load<u32>(record, 44)
  layer.multipliers = place(layer.paddedOut * 4)
  layer.biases = place(layer.paddedOut * 4)
  if (layer.multipliers == 0 || layer.biases == 0) return REFUSED_MEMORY

  if (op == OP_MEAN_HEIGHT) {
    layer.form = FORM_MEAN_HEIGHT
    store<f32>(layer.multipliers, load<f32>(multipliers))
    return OK
  }
  if (op != OP_CONVOLUTION || (layer.kernel != 1 && layer.kernel != 3)) return REFUSED_NET
  memory.copy(layer.multipliers, multipliers, layer.channelsOut * 4)
  memory.copy(layer.biases, blob + load<u32>(record, 48), layer.channelsOut * 4)
  const winograd = layer.kernel == 3 && layer.channelsIn != 1
  layer.form = winograd ? FORM_WINOGRAD : FORM_DIRECT
  layer.weights = place(winograd ? winogradWeightBytes(layer) : directWeightBytes(layer))
  if (layer.weights == 0) return REFUSED_MEMORY
  const weights = blob + load<u32>(record, 40)
  if (winograd) packWinograd(layer, weights, layer.weights)
  else packDirect(layer, weights, layer.weights)
  return OK
}
