import { MAX_LAYERS } from '../layout'

/** The kernel of a layer, chosen when the net is loaded. */
export const FORM_DIRECT: u32 = 0
export const FORM_WINOGRAD: u32 = 1
export const FORM_MEAN_HEIGHT: u32 = 2

export const ADDEND_NONE: u32 = 0
export const ADDEND_SAME: u32 = 1
export const ADDEND_ENLARGED: u32 = 2

export const FLAG_RELU: u32 = 1
export const FLAG_RAW: u32 = 2

/** One layer, ready to run. Tensor numbers as in the file: 0 the input, i + 1 the output of layer i. */
@unmanaged
export class Layer {
  form: u32
  source: u32
  addend: u32
  addendMode: u32
  kernel: u32
  strideY: u32
  strideX: u32
  channelsIn: u32
  channelsOut: u32
  /** channelsOut rounded up to 8; weights and tables are padded to it with zeros. */
  paddedOut: u32
  flags: u32
  /** Packed int16 weights, see pack_weights.ts. */
  weights: usize
  /** f32 [paddedOut] each; mean over height uses multipliers[0] only. */
  multipliers: usize
  biases: usize
  addendMultiplier: f32
}

/** One tensor of a plan; drawing in layout.ts. */
@unmanaged
export class Tensor {
  height: u32
  width: u32
  /** Channels as stored (raw tensors: padded to 8). */
  channels: u32
  raw: u32
  /** Bytes from one row to the next. */
  rowStep: usize
  /** Bytes from one pixel to the next. */
  pixelStep: usize
  /** First byte including the border. */
  base: usize
  /** First pixel inside the border. */
  interior: usize
  /** Bytes including border and slack. */
  bytes: usize
  /** Offset of `base` in the arena. */
  offset: usize
  /** Index of the last layer that reads this tensor. */
  lastUse: i32
}

/** A net: its layers, and its tensors as planned for an input of `height` x `width`. */
@unmanaged
export class Net {
  kind: u32
  nominalHeight: u32
  nominalWidth: u32
  layerCount: u32
  layers: usize
  tensors: usize
  /** Input size of the current plan; 0 before the first. */
  height: u32
  width: u32
  /** Bytes of the arena that the current plan needs. */
  arenaBytes: usize
}

@inline
export function layerAt(net: Net, index: u32): Layer {
  return changetype<Layer>(net.layers + index * offsetof<Layer>())
}

@inline
export function tensorAt(net: Net, index: u32): Tensor {
  return changetype<Tensor>(net.tensors + index * offsetof<Tensor>())
}

/** Bytes of a net's layer table and tensor table. */
export function layerTableBytes(): usize {
  return MAX_LAYERS * offsetof<Layer>()
}

export function tensorTableBytes(): usize {
  return (MAX_LAYERS + 1) * offsetof<Tensor>()
}
