import { levelAddress, levelFor, levelHeight, levelWidth } from './pyramid'
import { inside } from './sample'

/**
 * Bilinear sampling of the frame through a homography (9 f64, row by row) that maps the output, as the unit square, to
 * frame coordinates. Four output pixels at a time, in f32 relative to an origin near the quad, so that coordinates are
 * as exact at the far end of a large frame as at its beginning.
 *
 * `scale`: frame pixels per output pixel. The denominator is positive over the whole output (the quad is convex,
 * quad.ts). Rows are `rowLength` values apart at `out`; outWidth must be a multiple of 4, or `out` have room for
 * 4 more values.
 */
export function sampleHomography(
  h: usize, scale: f64, outWidth: u32, outHeight: u32, out: usize, rowLength: u32,
): void {
  const level = levelFor(scale)
  const unit = 1.0 / <f64>(1 << level)
  const columns = levelWidth(level)
  const rows = levelHeight(level)
  // the image of the unit square lies between the smallest and the largest corner
  const originX = <u32>inside(lowestOf(h, 0) * unit - 1.5, <f64>(columns - 2))
  const originY = <u32>inside(lowestOf(h, 24) * unit - 1.5, <f64>(rows - 2))
  const source = levelAddress(level) + originY * columns + originX
  for (let y: u32 = 0; y < outHeight; y++) {
    const v = (<f64>y + 0.5) / <f64>outHeight
    const z = load<f64>(h, 56) * v + load<f64>(h, 64)
    const dz = load<f64>(h, 48)
    // x = (ax + bx u) / (z + dz u), with the level's scale, the origin and the half pixel folded in
    const shiftX = <f64>originX + 0.5
    const shiftY = <f64>originY + 0.5
    const ax = (load<f64>(h, 8) * v + load<f64>(h, 16)) * unit - shiftX * z
    const ay = (load<f64>(h, 32) * v + load<f64>(h, 40)) * unit - shiftY * z
    const bx = load<f64>(h) * unit - shiftX * dz
    const by = load<f64>(h, 24) * unit - shiftY * dz
    sampleRow(source, columns, columns - 1 - originX, rows - 1 - originY,
      <f32>ax, <f32>bx, <f32>ay, <f32>by, <f32>z, <f32>dz, 1 / <f32>outWidth, outWidth, out)
    out += rowLength * 4
  }
}

/** Smallest of the coordinates of the four corners: h at (0,0), (1,0), (0,1), (1,1); `row` is 0 for x, 24 for y. */
function lowestOf(h: usize, row: usize): f64 {
  const a = load<f64>(h + row), b = load<f64>(h + row, 8), c = load<f64>(h + row, 16)
  const g = load<f64>(h, 48), k = load<f64>(h, 56)
  return min(min(c, (a + c) / (1 + g)), min((b + c) / (1 + k), (a + b + c) / (1 + g + k)))
}

function sampleRow(
  source: usize, step: u32, lastX: u32, lastY: u32, ax: f32, bx: f32, ay: f32, by: f32, z: f32, dz: f32, du: f32,
  count: u32, out: usize,
): void {
  const limitX = f32x4.splat(<f32>lastX)
  const limitY = f32x4.splat(<f32>lastY)
  const wholeX = i32x4.splat(lastX - 1)
  const wholeY = i32x4.splat(lastY - 1)
  const steps = i32x4.splat(step)
  const zero = f32x4.splat(0)
  let u = f32x4.mul(f32x4(0.5, 1.5, 2.5, 3.5), f32x4.splat(du))
  const du4 = f32x4.splat(4 * du)
  for (let x: u32 = 0; x < count; x += 4) {
    const scale = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(z), f32x4.mul(f32x4.splat(dz), u)))
    const px = f32x4.mul(f32x4.add(f32x4.splat(ax), f32x4.mul(f32x4.splat(bx), u)), scale)
    const py = f32x4.mul(f32x4.add(f32x4.splat(ay), f32x4.mul(f32x4.splat(by), u)), scale)
    const cx = f32x4.pmin(limitX, f32x4.pmax(zero, px))
    const cy = f32x4.pmin(limitY, f32x4.pmax(zero, py))
    const ix = i32x4.min_s(i32x4.trunc_sat_f32x4_s(cx), wholeX)
    const iy = i32x4.min_s(i32x4.trunc_sat_f32x4_s(cy), wholeY)
    const wx = f32x4.sub(cx, f32x4.convert_i32x4_s(ix))
    const wy = f32x4.sub(cy, f32x4.convert_i32x4_s(iy))
    const at = i32x4.add(i32x4.mul(iy, steps), ix)
    v128.store(out + x * 4, blendFour(source, step, at, wx, wy))
    u = f32x4.add(u, du4)
  }
}

/** Four bilinear values at byte offsets `at` (i32x4); each blends two neighbours of its row and two of the next. */
@inline
function blendFour(source: usize, step: usize, at: v128, wx: v128, wy: v128): v128 {
  const a = source + i32x4.extract_lane(at, 0)
  const b = source + i32x4.extract_lane(at, 1)
  const c = source + i32x4.extract_lane(at, 2)
  const d = source + i32x4.extract_lane(at, 3)
  // bytes: a-left a-right b-left b-right .. of the upper row, then of the lower one
  let pairs = v128.load16_lane(a, i16x8.splat(0), 0)
  pairs = v128.load16_lane(b, pairs, 1)
  pairs = v128.load16_lane(c, pairs, 2)
  pairs = v128.load16_lane(d, pairs, 3)
  pairs = v128.load16_lane(a + step, pairs, 4)
  pairs = v128.load16_lane(b + step, pairs, 5)
  pairs = v128.load16_lane(c + step, pairs, 6)
  pairs = v128.load16_lane(d + step, pairs, 7)
  const left = v128.and(pairs, i16x8.splat(0xff))
  const right = i16x8.shr_u(pairs, 8)
  const upper = mix(extendLow(left), extendLow(right), wx)
  const lower = mix(extendHigh(left), extendHigh(right), wx)
  return mix(upper, lower, wy)
}

@inline
function extendLow(values: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values))
}

@inline
function extendHigh(values: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values))
}

@inline
function mix(a: v128, b: v128, weight: v128): v128 {
  return f32x4.add(a, f32x4.mul(f32x4.sub(b, a), weight))
}
