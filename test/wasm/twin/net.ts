import type { TestLayer, TestNet } from '../recognizer/psm_writer.js'

/** A tensor without a border: values [height][width][channels]. */
export interface TwinTensor {
  height: number
  width: number
  channels: number
  values: Int16Array | Float32Array
}

const f = Math.fround

/** Ties to even, as f32x4.nearest rounds. */
function roundTiesToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

/**
 * The scalar twin of the kernels: docs/model-format.md taken literally, one multiplication at a time. Returns all
 * tensors, the input first.
 */
export function runNetTwin(net: TestNet, input: TwinTensor): TwinTensor[] {
  const tensors = [input]
  for (const layer of net.layers) {
    tensors.push(layer.op === 2 ? meanHeightTwin(layer, tensors[layer.source]!) : convTwin(layer, tensors))
  }
  return tensors
}

function finish(t: number, layer: TestLayer): number {
  return layer.raw ? t : Math.max(-8191, Math.min(8191, roundTiesToEven(t)))
}

function convTwin(layer: TestLayer, tensors: TwinTensor[]): TwinTensor {
  const source = tensors[layer.source]!
  const { kernel = 1, strideY = 1, strideX = 1, channelsIn, channelsOut } = layer
  const height = Math.ceil(source.height / strideY)
  const width = Math.ceil(source.width / strideX)
  const size = height * width * channelsOut
  const values = layer.raw ? new Float32Array(size) : new Int16Array(size)
  const start = kernel === 3 ? -1 : 0
  const addend = layer.addendMode ? tensors[layer.addend!]! : undefined
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channelsOut; c++) {
        let sum = 0
        for (let ky = 0; ky < kernel; ky++) {
          const sy = y * strideY + start + ky
          if (sy < 0 || sy >= source.height) continue
          for (let kx = 0; kx < kernel; kx++) {
            const sx = x * strideX + start + kx
            if (sx < 0 || sx >= source.width) continue
            const from = (sy * source.width + sx) * channelsIn
            const at = ((c * kernel + ky) * kernel + kx) * channelsIn
            for (let k = 0; k < channelsIn; k++) sum += source.values[from + k]! * layer.weights![at + k]!
          }
        }
        let t = f(f(sum) * layer.multipliers[c]!)
        t = f(t + layer.biases![c]!)
        if (addend) {
          const shift = layer.addendMode === 2 ? 1 : 0
          const a = addend.values[((y >> shift) * addend.width + (x >> shift)) * channelsOut + c]!
          t = f(t + f(a * f(layer.addendMultiplier!)))
        }
        if (layer.relu) t = Math.max(t, 0)
        values[(y * width + x) * channelsOut + c] = finish(t, layer)
      }
    }
  }
  return { height, width, channels: channelsOut, values }
}

function meanHeightTwin(layer: TestLayer, source: TwinTensor): TwinTensor {
  const { width, channels } = source
  const values = layer.raw ? new Float32Array(width * channels) : new Int16Array(width * channels)
  for (let i = 0; i < width * channels; i++) {
    let sum = 0
    for (let y = 0; y < source.height; y++) sum += source.values[y * width * channels + i]!
    values[i] = finish(f(f(sum) * layer.multipliers[0]!), layer)
  }
  return { height: 1, width, channels, values }
}
