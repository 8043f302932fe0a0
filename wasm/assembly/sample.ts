import { levelAddress, levelFor, levelHeight, levelWidth } from './pyramid'

/**
 * Bilinear sampling of the frame (rule 3 of docs/model-format.md): output pixel centres are mapped to frame coordinates, read
 * from the pyramid level that fits the scale, edge pixels repeated outside. Results are grey values 0..255 as f32, row by row.
 */

/** Per output column of an axis-aligned window: left pixel, right pixel (u16 each), weight of the right one (f32). */
const MAX_COLUMNS: u32 = 8192
const columns: usize = memory.data(8192 * 8, 16)

/**
 * The window with corner (left, top) and size (width, height), all in frame pixels, to outWidth x outHeight values at `out`.
 * outWidth <= 8192.
 */
export function sampleWindow(left: f64, top: f64, width: f64, height: f64, outWidth: u32, outHeight: u32, out: usize): void {
  const stepX = width / <f64>outWidth
  const stepY = height / <f64>outHeight
  const level = levelFor(max(stepX, stepY))
  const unit = 1.0 / <f64>(1 << level)
  const lastX = <f64>(levelWidth(level) - 1)
  const lastY = levelHeight(level) - 1
  for (let x: u32 = 0; x < min(outWidth, MAX_COLUMNS); x++) {
    const at = inside((left + (<f64>x + 0.5) * stepX) * unit - 0.5, lastX)
    const whole = Math.floor(at)
    const first = <u32>whole
    store<u16>(columns + x * 8, <u16>first)
    store<u16>(columns + x * 8, <u16>min(first + 1, <u32>lastX), 2)
    store<f32>(columns + x * 8, <f32>(at - whole), 4)
  }
  const address = levelAddress(level)
  const step = levelWidth(level)
  for (let y: u32 = 0; y < outHeight; y++) {
    const at = inside((top + (<f64>y + 0.5) * stepY) * unit - 0.5, <f64>lastY)
    const whole = Math.floor(at)
    const first = <u32>whole
    blendRows(address + first * step, address + min(first + 1, lastY) * step, <f32>(at - whole), outWidth, out)
    out += outWidth * 4
  }
}

/** One output row between two rows of a level; `weight` is that of the lower one. */
function blendRows(upper: usize, lower: usize, weight: f32, outWidth: u32, out: usize): void {
  for (let x: u32 = 0; x < outWidth; x++) {
    const left = <usize>load<u16>(columns + x * 8)
    const right = <usize>load<u16>(columns + x * 8, 2)
    const across = load<f32>(columns + x * 8, 4)
    const a = mix(<f32>load<u8>(upper + left), <f32>load<u8>(upper + right), across)
    const b = mix(<f32>load<u8>(lower + left), <f32>load<u8>(lower + right), across)
    store<f32>(out + x * 4, mix(a, b, weight))
  }
}

/**
 * Rectifies: output pixel (u, v) in 0..1 of the output goes through the homography `h` (9 f64, row by row) to frame coordinates.
 * `scale`: frame pixels per output pixel. The denominator is positive over the whole output (the quad is convex, quad.ts).
 */
export function sampleHomography(h: usize, scale: f64, outWidth: u32, outHeight: u32, out: usize): void {
  const level = levelFor(scale)
  const unit = 1.0 / <f64>(1 << level)
  for (let y: u32 = 0; y < outHeight; y++) {
    sampleHomographyRow(h, level, unit, (<f64>y + 0.5) / <f64>outHeight, outWidth, out)
    out += outWidth * 4
  }
}

function sampleHomographyRow(h: usize, level: u32, unit: f64, v: f64, outWidth: u32, out: usize): void {
  const address = levelAddress(level)
  const step = levelWidth(level)
  const lastX = levelWidth(level) - 1
  const lastY = levelHeight(level) - 1
  const x0 = load<f64>(h, 8) * v + load<f64>(h, 16)
  const y0 = load<f64>(h, 32) * v + load<f64>(h, 40)
  const z0 = load<f64>(h, 56) * v + load<f64>(h, 64)
  const dx = load<f64>(h), dy = load<f64>(h, 24), dz = load<f64>(h, 48)
  for (let x: u32 = 0; x < outWidth; x++) {
    const u = (<f64>x + 0.5) / <f64>outWidth
    const scale = unit / (z0 + dz * u)
    const atX = inside((x0 + dx * u) * scale - 0.5, <f64>lastX)
    const atY = inside((y0 + dy * u) * scale - 0.5, <f64>lastY)
    const wholeX = Math.floor(atX)
    const wholeY = Math.floor(atY)
    const left = <u32>wholeX
    const right = min(left + 1, lastX)
    const upper = address + <u32>wholeY * step
    const lower = address + min(<u32>wholeY + 1, lastY) * step
    const across = <f32>(atX - wholeX)
    const a = mix(<f32>load<u8>(upper + left), <f32>load<u8>(upper + right), across)
    const b = mix(<f32>load<u8>(lower + left), <f32>load<u8>(lower + right), across)
    store<f32>(out + x * 4, mix(a, b, <f32>(atY - wholeY)))
  }
}

@inline
function mix(a: f32, b: f32, weight: f32): f32 {
  return a + (b - a) * weight
}

/** `at` pressed into 0..last; a value that is no number becomes 0. */
@inline
function inside(at: f64, last: f64): f64 {
  return at > 0 ? (at < last ? at : last) : 0
}
