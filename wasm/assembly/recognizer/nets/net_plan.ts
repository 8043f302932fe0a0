import { SLACK_PIXELS } from '../layout'
import { FLAG_RAW, FORM_MEAN_HEIGHT, layerAt, Net, Tensor, tensorAt } from './net'

/**
 * Plans a net for one input size: the sizes of all tensors and their places in the arena. Tensors that are never live
 * at the same time may share bytes: tensor t is live from the layer that writes it (t - 1) to the last that reads it.
 * Cheap (layers squared), but done only when the size changes.
 */
export function planNet(net: Net, height: u32, width: u32): void {
  if (net.height == height && net.width == width) return
  net.height = height
  net.width = width
  const count = net.layerCount + 1
  shapeTensor(tensorAt(net, 0), height, width, 1, false)
  for (let i: u32 = 0; i < net.layerCount; i++) {
    const layer = layerAt(net, i)
    const source = tensorAt(net, layer.source)
    source.lastUse = i
    if (layer.addendMode != 0) tensorAt(net, layer.addend).lastUse = i
    const output = tensorAt(net, i + 1)
    if (layer.form == FORM_MEAN_HEIGHT) {
      shapeTensor(output, 1, source.width, layer.paddedOut, (layer.flags & FLAG_RAW) != 0)
    } else {
      shapeTensor(output,
        (source.height + layer.strideY - 1) / layer.strideY, (source.width + layer.strideX - 1) / layer.strideX,
        layer.paddedOut, (layer.flags & FLAG_RAW) != 0)
    }
    output.lastUse = i
  }
  // the caller reads the last output
  tensorAt(net, count - 1).lastUse = net.layerCount
  net.arenaBytes = 0
  for (let t: u32 = 0; t < count; t++) {
    const tensor = tensorAt(net, t)
    tensor.offset = lowestFreeOffset(net, t)
    net.arenaBytes = max<usize>(net.arenaBytes, tensor.offset + tensor.bytes)
  }
}

/** Sets the addresses of a planned net's tensors. */
export function bindNet(net: Net, arena: usize): void {
  for (let t: u32 = 0; t <= net.layerCount; t++) {
    const tensor = tensorAt(net, t)
    tensor.base = arena + tensor.offset
    tensor.interior = tensor.raw ? tensor.base : tensor.base + tensor.rowStep + tensor.pixelStep
  }
}

function shapeTensor(tensor: Tensor, height: u32, width: u32, channels: u32, raw: bool): void {
  tensor.height = height
  tensor.width = width
  tensor.channels = channels
  tensor.raw = raw ? 1 : 0
  tensor.pixelStep = channels * (raw ? 4 : 2)
  tensor.rowStep = (raw ? width : width + 2) * tensor.pixelStep
  // one border row above, one below, two of slack
  const rows = raw ? height : height + 4
  tensor.bytes = (rows * tensor.rowStep + SLACK_PIXELS * tensor.pixelStep + 127) & ~63
  tensor.lastUse = -1
}

/** First fit among the tensors placed before `index` that are live at the same time. */
function lowestFreeOffset(net: Net, index: u32): usize {
  const tensor = tensorAt(net, index)
  let offset: usize = 0
  let moved = true
  while (moved) {
    moved = false
    for (let t: u32 = 0; t < index; t++) {
      const other = tensorAt(net, t)
      // `other` was written earlier, so both are live at once when the layer that writes `tensor`, or a later one,
      // reads it
      const together = other.lastUse >= <i32>index - 1
      if (together && offset < other.offset + other.bytes && other.offset < offset + tensor.bytes) {
        offset = other.offset + other.bytes
        moved = true
      }
    }
  }
  return offset
}
