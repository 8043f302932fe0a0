import type { Bits } from './bits.js'
import type { Component } from './frame.js'
import { NATURAL } from './idct_fast.js'
import type { BlockDecoder } from './scan.js'

/** Largest DC value of 8-bit samples, times its quantisation, with room for rounding. */
const MOST_DC = 1_024
/** Bits of the largest AC coefficient of 8-bit samples. */
const MOST_AC_BITS = 10

/**
 * Decodes baseline and extended pictures, whose blocks are complete. `onBlock` receives each block; its coefficients
 * are valid until the next one. `onOdd` is called for a block that no encoder writes: its coefficients leave the
 * range of 8-bit samples, or there are more than 64.
 */
export function sequentialScan(bits: Bits, onBlock: BlockDecoder, onOdd: () => void): BlockDecoder {
  return (component, x, y) => {
    if (decodeBlock(bits, component)) onOdd()
    onBlock(component, x, y)
  }
}

/** @returns whether the block is odd */
function decodeBlock(bits: Bits, component: Component): boolean {
  const { coefficients, dcTable, acTable } = component
  coefficients.fill(0)
  component.dc += bits.signed(dcTable!.decode(bits))
  coefficients[0] = component.dc
  let odd = Math.abs(component.dc) > component.mostDc
  for (let k = 1; k < 64; k++) {
    const symbol = acTable!.decode(bits)
    const size = symbol & 15
    const run = symbol >> 4
    if (size === 0) {
      if (run !== 15) return odd
      k += 15
      continue
    }
    k += run
    if (k > 63 || size > MOST_AC_BITS) odd = true
    coefficients[NATURAL[k]!] = bits.signed(size)
  }
  return odd
}

/** Largest DC value of a component with this quantisation. */
export const mostDcOf = (quantisation: number): number => Math.ceil(MOST_DC / Math.max(1, quantisation)) + 1
