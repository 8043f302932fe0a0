import type { Random } from '../random.js'
import type { TestLayer, TestNet } from './psm_writer.js'

interface ConvOptions {
  kernel?: 1 | 3
  strideY?: number
  strideX?: number
  addend?: number
  addendMode?: 1 | 2
  relu?: boolean
  raw?: boolean
}

/**
 * A convolution with random int8 weights and scales that keep most outputs in the int16 range and clamp some.
 */
export function randomConv(
  random: Random,
  source: number,
  channelsIn: number,
  channelsOut: number,
  options: ConvOptions = {},
): TestLayer {
  const { kernel = 3, strideY = 1, strideX = 1, relu = true, raw = false } = options
  const taps = kernel * kernel * channelsIn
  // 4 * 8191 * sum|w| < 2^31: at most 65,536 in total
  const largest = Math.min(127, Math.floor(65_000 / taps))
  const weights = Int8Array.from({ length: channelsOut * taps }, () => random.whole(-largest, largest))
  const typical = 1500 * largest * Math.sqrt(taps) * 0.6
  return {
    op: 1,
    source,
    kernel,
    strideY,
    strideX,
    channelsIn,
    channelsOut,
    relu,
    raw,
    weights,
    multipliers: Float32Array.from({ length: channelsOut }, () => ((raw ? 3 : 2500) / typical) * (0.5 + random.next())),
    biases: Float32Array.from({ length: channelsOut }, () => (raw ? 1 : 400) * random.normal()),
    ...(options.addendMode
      ? { addend: options.addend!, addendMode: options.addendMode, addendMultiplier: random.next() + 0.2 }
      : {}),
  }
}

export function meanHeight(source: number, channels: number, height: number): TestLayer {
  return { op: 2, source, channelsIn: channels, channelsOut: channels, multipliers: Float32Array.of(1 / height) }
}

/**
 * A finder (kind 1 or 2): strides down to 32 and back to 8 with same-size and enlarged addends, `outputs` raw channels.
 */
export function randomFinder(random: Random, kind: 1 | 2, height: number, width: number, outputs: number): TestNet {
  const c = (source: number, cin: number, cout: number, o: ConvOptions = {}) => randomConv(random, source, cin, cout, o)
  return {
    kind,
    height,
    width,
    layers: [
      c(0, 1, 16, { strideY: 2, strideX: 2 }),
      c(1, 16, 16, { strideY: 2, strideX: 2 }),
      c(2, 16, 32, { strideY: 2, strideX: 2 }),
      c(3, 32, 32, { addend: 3, addendMode: 1 }),
      c(4, 32, 48, { strideY: 2, strideX: 2 }),
      c(5, 48, 48),
      c(6, 48, 48, { strideY: 2, strideX: 2 }),
      c(6, 48, 48, { kernel: 1, addend: 7, addendMode: 2 }),
      c(4, 32, 48, { kernel: 1, addend: 8, addendMode: 2 }),
      c(9, 48, 32),
      c(10, 32, outputs, { kernel: 1, relu: false, raw: true }),
    ],
  }
}

/** A reader (kind 3): 32x64 to 16 columns of 37 classes. */
export function randomReader(random: Random): TestNet {
  return flatNet(random, 3, 37)
}

/** An issuer (kind 4): 32x64 to 16 columns of `regions` logits. */
export function randomIssuer(random: Random, regions: number): TestNet {
  return flatNet(random, 4, regions)
}

function flatNet(random: Random, kind: 3 | 4, outputs: number): TestNet {
  const c = (source: number, cin: number, cout: number, o: ConvOptions = {}) => randomConv(random, source, cin, cout, o)
  return {
    kind,
    height: 32,
    width: 64,
    layers: [
      c(0, 1, 16, { strideY: 2, strideX: 2 }),
      c(1, 16, 32, { strideY: 2, strideX: 1 }),
      c(2, 32, 32, { addend: 2, addendMode: 1 }),
      c(3, 32, 48, { strideY: 2, strideX: 2 }),
      meanHeight(4, 48, 4),
      c(5, 48, outputs, { kernel: 1, relu: false, raw: true }),
    ],
  }
}
