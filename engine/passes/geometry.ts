import type { Quad } from '../../wasm/mod.js'

export type Point = readonly [x: number, y: number]

export interface Box {
  x: number
  y: number
  /** Mean length of the upper and lower side, and of the left and right side: independent of tilt. */
  width: number
  height: number
}

/** To a hundredth of a pixel, so that a place is short in the checkpoint. */
export const hundredths = (pixels: number): number => Math.round(pixels * 100) / 100

/** The centre and size of a plate. */
export function boxOf(quad: Quad): Box {
  const [a, b, c, d] = quad
  return {
    x: hundredths((a[0] + b[0] + c[0] + d[0]) / 4),
    y: hundredths((a[1] + b[1] + c[1] + d[1]) / 4),
    width: Math.max(1, hundredths((distance(a, b) + distance(d, c)) / 2)),
    height: Math.max(1, hundredths((distance(a, d) + distance(b, c)) / 2)),
  }
}

export const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1])
