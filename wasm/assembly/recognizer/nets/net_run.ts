import { convDirectRun, DIRECT_PIXELS } from '../kernels/conv_direct_i16'
import { convWinogradBlock, winogradBlockTiles, winogradTiles } from '../kernels/conv3x3_winograd_i16'
import { beginLayer } from '../kernels/finish_pixels'
import { meanHeight } from '../kernels/mean_height_i16'
import { FORM_MEAN_HEIGHT, FORM_WINOGRAD, Layer, layerAt, Net, Tensor, tensorAt } from './net'

/**
 * Runs all layers of a planned and bound net on the input in tensor 0. Kernels are called row by row and block by
 * block: V8 replaces baseline code with optimised code between calls, never within one.
 */
export function runNet(net: Net): void {
  clearBorder(tensorAt(net, 0))
  for (let i: u32 = 0; i < net.layerCount; i++) runLayer(net, i)
}

/** Runs layer `index` on the present contents of its source tensor. */
export function runLayer(net: Net, index: u32): void {
  const layer = layerAt(net, index)
  compute(layer, tensorAt(net, layer.source), tensorAt(net, index + 1),
    layer.addendMode == 0 ? 0 : changetype<usize>(tensorAt(net, layer.addend)))
}

function compute(layer: Layer, source: Tensor, output: Tensor, addend: usize): void {
  if (!output.raw) clearBorder(output)
  beginLayer(layer)
  if (layer.form == FORM_MEAN_HEIGHT) {
    meanHeight(layer, source, output)
  } else if (layer.form == FORM_WINOGRAD) {
    const tiles = winogradTiles(output)
    const step = winogradBlockTiles(layer)
    for (let first: u32 = 0; first < tiles; first += step) {
      convWinogradBlock(layer, source, output, addend, first, min(step, tiles - first))
    }
  } else {
    for (let y: u32 = 0; y < output.height; y++) {
      for (let x: u32 = 0; x < output.width; x += DIRECT_PIXELS) {
        convDirectRun(layer, source, output, addend, y, x, min(DIRECT_PIXELS, output.width - x))
      }
    }
  }
}

/** Zeroes the border, which holds arbitrary bytes because tensors share memory over time. */
function clearBorder(tensor: Tensor): void {
  memory.fill(tensor.base, 0, tensor.rowStep + tensor.pixelStep)
  let at = tensor.base + tensor.rowStep
  // the right border of a row and the left border of the next are adjacent
  for (let y: u32 = 0; y < tensor.height; y++) {
    at += tensor.rowStep
    memory.fill(at - tensor.pixelStep, 0, 2 * tensor.pixelStep)
  }
  memory.fill(at, 0, tensor.rowStep)
}
