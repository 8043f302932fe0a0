import { FLAG_RAW, Layer, Tensor } from '../nets/net'
import { toInt16 } from './finish_pixels'

/**
 * Mean over the height: the sum of each column times multipliers[0]. Output height 1, the same channels (a multiple of
 * 8).
 */
export function meanHeight(layer: Layer, source: Tensor, output: Tensor): void {
  const factor = f32x4.splat(load<f32>(layer.multipliers))
  const raw = (layer.flags & FLAG_RAW) != 0
  for (let x: u32 = 0; x < source.width; x++) {
    for (let c: u32 = 0; c < source.channels; c += 8) {
      let at = source.interior + x * source.pixelStep + c * 2
      let low = i32x4.splat(0)
      let high = i32x4.splat(0)
      for (let y: u32 = 0; y < source.height; y++) {
        const values = v128.load(at)
        low = i32x4.add(low, i32x4.extend_low_i16x8_s(values))
        high = i32x4.add(high, i32x4.extend_high_i16x8_s(values))
        at += source.rowStep
      }
      const t0 = f32x4.mul(f32x4.convert_i32x4_s(low), factor)
      const t1 = f32x4.mul(f32x4.convert_i32x4_s(high), factor)
      const out = output.interior + x * output.pixelStep
      if (raw) {
        v128.store(out + c * 4, t0)
        v128.store(out + c * 4, t1, 16)
      } else {
        v128.store(out + c * 2, toInt16(t0, t1))
      }
    }
  }
}
